// Command parsers holds what a gateway with a policy reads of a message against five other readers: encoding/json,
// encoding/json/v2, the MCP Go SDK, Node and Python. Of each body that it takes they are to read the same method and
// name, and the id as the same token.
//
// It is run in its own folder, with node and python3 in the PATH.
package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"signet/gateway/envelope"
)

const (
	corpus = "../../gateway/envelope/testdata"

	// fewest is how many good and how many hostile bodies there are at least, and fewestDisputed on how many of the
	// latter the readers differ: were they all of one mind, agreeing would mean nothing.
	fewest, fewestDisputed = 60, 40
)

// A body is a text of the corpus, with what its name says of it.
type body struct {
	name string
	good bool
	text []byte
}

// A reading is what one reader makes of one message.
type reading struct {
	ID     string `json:"id"` // its token, "" if there is none
	Method string `json:"method"`
	Name   string `json:"name"`
}

// An answer is what a reader makes of a body: a message, or those of a batch, or why none.
type answer struct {
	Messages []reading `json:"messages"`
	Refused  string    `json:"refused"`
}

// A reader reads all bodies. The answers are in their order.
type reader struct {
	name string
	read func([]body) ([]answer, error)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "parsers:", err)
		os.Exit(1)
	}
}

func run() error {
	bodies, err := load()
	if err != nil {
		return err
	}
	taken, refused := sorted(bodies)
	good := slices.DeleteFunc(slices.Clone(taken), func(b body) bool { return !b.good })
	hostile := slices.DeleteFunc(slices.Clone(bodies), func(b body) bool { return b.good })
	if len(good) < fewest || len(hostile) < fewest {
		return fmt.Errorf("%d good bodies taken and %d hostile ones, want %d of each", len(good), len(hostile), fewest)
	}
	for _, b := range bodies {
		if b.good && !slices.ContainsFunc(taken, func(t body) bool { return t.name == b.name }) {
			return fmt.Errorf("%s is good, and refused", b.name)
		}
	}
	changed, _ := sorted(mutated(good))
	corpusTaken := len(taken)
	taken = append(taken, changed...)
	readers := []reader{
		{"encoding/json", each(standard)}, {"json/v2", each(second)}, {"go-sdk", each(sdk)},
		{"node", program("node", nodeFlags("reader.mjs")...)}, {"python", program("python3", "reader.py")},
	}
	wrong := 0
	disputed := map[string]bool{}
	for _, r := range readers {
		differs, err := differences(r, taken)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		for _, line := range differs {
			fmt.Println(line)
		}
		wrong += len(differs)
		fmt.Printf("%s: %d bodies, %d differences\n", r.name, len(taken), len(differs))
	}
	if err := disputes(readers, refused, disputed); err != nil {
		return err
	}
	fmt.Printf("%d of %d bodies taken, %d of them hostile, and %d of %d with small changes; the readers dispute %d of the %d refused\n",
		corpusTaken, len(bodies), corpusTaken-len(good), len(changed), mutations, len(disputed), len(refused))
	switch {
	case wrong > 0:
		return fmt.Errorf("%d differences", wrong)
	case len(disputed) < fewestDisputed:
		return fmt.Errorf("the readers dispute %d of the bodies refused, want %d: this proves nothing", len(disputed), fewestDisputed)
	}
	return nil
}

// sorted divides bodies into those that a gateway with a policy takes, and the rest.
func sorted(bodies []body) (taken, refused []body) {
	for _, b := range bodies {
		if _, err := envelope.ReadStrict(b.text); err == nil {
			taken = append(taken, b)
		} else {
			refused = append(refused, b)
		}
	}
	return taken, refused
}

// gateway is what the gateway itself reads.
func gateway(text []byte) answer {
	m, err := envelope.ReadStrict(text)
	if err != nil {
		return answer{Refused: err.Error()}
	}
	messages := m.Batch
	if m.Kind != envelope.Batch {
		messages = []envelope.Message{m}
	}
	var a answer
	for _, m := range messages {
		a.Messages = append(a.Messages, reading{string(m.ID), m.Method, m.Name})
	}
	return a
}

// differences are the bodies of which r reads something else than the gateway does.
func differences(r reader, taken []body) ([]string, error) {
	answers, err := r.read(taken)
	if err != nil {
		return nil, err
	}
	var lines []string
	for i, b := range taken {
		want, got := gateway(b.text), answers[i]
		if !slices.EqualFunc(got.Messages, want.Messages, r.same) {
			lines = append(lines, fmt.Sprintf("%s: %s reads %+v, the gateway %+v", b.name, r.name, got, want.Messages))
		}
	}
	return lines, nil
}

// same reports whether two readings are the same. The SDK keeps a number as one of 64 bits that it took from a
// double: there the values are compared.
func (r reader) same(got, want reading) bool {
	id := got.ID == want.ID
	if r.name == "go-sdk" {
		id = sameValue(got.ID, want.ID)
	}
	return id && got.Method == want.Method && got.Name == want.Name
}

// disputes notes the bodies of which two readers read different things, or one nothing.
func disputes(readers []reader, refused []body, disputed map[string]bool) error {
	first := make([]string, len(refused))
	for i, r := range readers {
		answers, err := r.read(refused)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		for j, a := range answers {
			var b bytes.Buffer
			for _, m := range a.Messages {
				fmt.Fprintf(&b, "%q %q\n", m.Method, m.Name)
			}
			switch said := b.String(); {
			case i == 0:
				first[j] = said
			case said != first[j]:
				disputed[strings.TrimSuffix(refused[j].name, ".txtar")] = true
			}
		}
	}
	return nil
}
