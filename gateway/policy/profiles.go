package policy

import (
	"fmt"
	"slices"
	"strings"

	"signet/gateway/envelope"
)

// Profiles let a call of a tool name the profile that it is signed as, by a parameter that the tool does not have.
type Profiles struct {
	param  string
	tools  []Glob
	names  []string // the first is the default
	schema []byte   // of the parameter
}

// NewProfiles makes Profiles of the profiles' names, of which the first is the default, for the tools of patterns.
// Nil: there is nothing to choose.
func NewProfiles(param string, tools, names []string) *Profiles {
	if len(names) < 2 {
		return nil
	}
	p := &Profiles{param: param, names: names}
	for _, pattern := range tools {
		p.tools = append(p.tools, Glob(pattern))
	}
	schema := []byte(`{"type":"string","enum":[`)
	for i, name := range names {
		if i > 0 {
			schema = append(schema, ',')
		}
		schema = envelope.AppendText(schema, name)
	}
	schema = append(schema, `],"description":`...)
	schema = envelope.AppendText(schema, fmt.Sprintf("The AWS profile to call as. Default: %s.", names[0]))
	p.schema = append(schema, '}')
	return p
}

// Pick is the profile that a call of a tool names, "" for the default, and the edits that take the parameter out of
// its arguments. The error says what it names instead of a profile. The arguments are those of a message that was
// read strictly.
func (p *Profiles) Pick(tool string, arguments envelope.Value) (string, []envelope.Edit, error) {
	if !matches(p.tools, tool) {
		return "", nil, nil
	}
	for key, value := range arguments.Members() {
		switch name := key.Text(); {
		case name == p.param && value.IsNull():
			return "", p.strip(arguments), nil
		case name == p.param && value.IsString() && slices.Contains(p.names, value.Text()):
			name = value.Text()
			if name == p.names[0] {
				name = ""
			}
			return name, p.strip(arguments), nil
		case name == p.param:
			return "", nil, fmt.Errorf("%s %.128q is not in the list of profiles: %s", p.param, value.Text(), strings.Join(p.names, ", "))
		case strings.EqualFold(name, p.param):
			return "", nil, fmt.Errorf("the parameter is %s, not %q: nothing was called, for it would be as another profile", p.param, name)
		}
	}
	return "", nil, nil
}

func (p *Profiles) strip(arguments envelope.Value) []envelope.Edit {
	return arguments.Without(func(key, _ envelope.Value) bool { return key.Is(p.param) })
}

// Extend appends to edits those that give the tools of l the parameter. Shadowed are tools that have one of that name
// already, which is replaced. A tool that has no inputSchema to extend stays as it is.
func (p *Profiles) Extend(edits []envelope.Edit, l List) (_ []envelope.Edit, shadowed []string) {
	member := envelope.AppendMember(nil, p.param, p.schema)
	for _, tool := range l.Tools {
		schema := tool.Value.Get("inputSchema")
		if !matches(p.tools, tool.Name) || tool.Name == "" || !schema.IsObject() {
			continue
		}
		properties := schema.Get("properties")
		switch own := properties.Get(p.param); {
		case own.Raw() != nil:
			shadowed = append(shadowed, tool.Name)
			edits = append(edits, own.Replace(p.schema))
		case properties.IsObject():
			edits = append(edits, properties.Append(member))
		case properties.Raw() == nil:
			edits = append(edits, schema.Append(envelope.AppendMember(nil, "properties", fmt.Appendf(nil, "{%s}", member))))
		}
	}
	return edits, shadowed
}
