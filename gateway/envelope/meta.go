package envelope

import "slices"

// A Member is a key and its value.
type Member struct {
	// Key is what the key says, and Value the value as JSON.
	Key   string
	Value []byte

	// Wins says that the value replaces one that is there already.
	Wins bool
}

// A Placing is how members got into params._meta, or why not.
type Placing struct {
	// Edits put them there. None: nothing is to be put.
	Edits []Edit

	// Kept are the keys that were there already and stay as they are.
	Kept []string

	// Odd says that there is a _meta that is neither an object nor null: nothing is put into it.
	Odd bool
}

// Place finds how members get into params._meta of the request or notification m, whose text is body, which was
// read as strict. A request without params gets some; a notification without, params that are no object, batches
// and answers are left alone.
func (m Message) Place(body []byte, members []Member) Placing {
	if m.Kind != Request && m.Kind != Notification || !m.Strict || len(members) == 0 {
		return Placing{}
	}
	all := ValueOf(body)
	params := all.Get("params")
	meta := params.Get("_meta")
	switch {
	case meta.IsObject():
		return meta.merge(members)
	case meta.IsNull():
		return Placing{Edits: []Edit{meta.Replace(object(members))}}
	case meta.Exists():
		return Placing{Odd: true}
	case params.IsObject():
		return Placing{Edits: []Edit{params.Append(AppendMember(nil, "_meta", object(members)))}}
	}
	created := AppendMember(append([]byte(nil), '{'), "_meta", object(members))
	created = append(created, '}')
	switch {
	case params.IsNull() && m.Kind == Request:
		return Placing{Edits: []Edit{params.Replace(created)}}
	case !params.Exists() && m.Kind == Request:
		return Placing{Edits: []Edit{all.Append(AppendMember(nil, "params", created))}}
	}
	return Placing{}
}

// merge puts members into an object: those that are not there yet last, in one edit.
func (v Value) merge(members []Member) Placing {
	var p Placing
	var added []byte
	for _, m := range members {
		switch there := v.Get(m.Key); {
		case !there.Exists():
			added = appendMore(added, m)
		case m.Wins:
			p.Edits = append(p.Edits, there.Replace(m.Value))
		default:
			p.Kept = append(p.Kept, m.Key)
		}
	}
	if added != nil {
		p.Edits = append(p.Edits, v.Append(added))
	}
	slices.SortStableFunc(p.Edits, func(a, b Edit) int { return a.From - b.From })
	return p
}

// object is members as an object.
func object(members []Member) []byte {
	var inside []byte
	for _, m := range members {
		inside = appendMore(inside, m)
	}
	return append(append([]byte{'{'}, inside...), '}')
}

// appendMore appends a member to what stands in an object so far.
func appendMore(inside []byte, m Member) []byte {
	if inside != nil {
		inside = append(inside, ',')
	}
	return AppendMember(inside, m.Key, m.Value)
}
