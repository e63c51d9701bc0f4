package envelope

import "fmt"

// A Refusal says that a body is JSON but not a JSON-RPC message: -32600.
type Refusal struct {
	// What is missing or wrong.
	What string
}

// Error says what is missing or wrong.
func (e *Refusal) Error() string { return e.What }

// A SyntaxError says that a body is not JSON: JSON-RPC's -32700.
type SyntaxError struct {
	// Offset is where in the body, in bytes.
	Offset int

	// What is wrong there.
	What string
}

// Error says what is wrong and where.
func (e *SyntaxError) Error() string { return fmt.Sprintf("byte %d: %s", e.Offset, e.What) }
