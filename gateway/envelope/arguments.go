package envelope

// Arguments is params.arguments of a message that Read takes, as it stands in body. Nil: there is none. Where it
// stands twice it is the last.
func Arguments(body []byte) []byte {
	s := scanner{in: body}
	if s.peek() != '{' {
		return nil
	}
	var found token
	err := s.object(func(key token) error {
		if exactly, _ := key.spells("params"); !exactly {
			_, err := s.value()
			return err
		}
		return s.within(func(key token) error {
			v, err := s.value()
			if exactly, _ := key.spells("arguments"); exactly {
				found = v
			}
			return err
		})
	})
	if err != nil {
		return nil
	}
	return found
}
