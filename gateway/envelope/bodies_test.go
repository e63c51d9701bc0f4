package envelope

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write what is read into testdata/bodies")
	os.Exit(m.Run())
}

// said is a message as testdata/bodies has it: a line for each thing that was read.
func said(m Message, err error) string {
	var refusal *Refusal
	switch {
	case errors.As(err, &refusal):
		return "refused: " + err.Error() + "\n"
	case err != nil:
		return "no JSON: " + err.Error() + "\n"
	}
	var b strings.Builder
	kind := [...]string{Request: "request", Notification: "notification", Response: "response", Batch: "batch"}[m.Kind]
	fmt.Fprintf(&b, "%s\n", kind)
	for _, line := range [...][2]string{
		{"id", string(m.ID)}, {"method", m.Method}, {"name", m.Name}, {"version", m.Version},
		{"traceparent", m.Traceparent}, {"tracestate", m.Tracestate},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%s: %q\n", line[0], line[1])
		}
	}
	if m.IsError {
		fmt.Fprintf(&b, "error: %d\n", m.Code)
	}
	if m.ToolError {
		b.WriteString("the tool failed\n")
	}
	if !m.Strict {
		b.WriteString("not strict\n")
	}
	for _, element := range m.Batch {
		b.WriteString("- " + strings.ReplaceAll(strings.TrimSpace(said(element, nil)), "\n", "\n  ") + "\n")
	}
	return b.String()
}

// Each file of testdata/bodies is a body, good or hostile, and what is read of it: on a route without a policy, if
// that is another thing, and on one with.
func TestBodiesAreReadAsTheCorpusSays(t *testing.T) {
	files, err := filepath.Glob("testdata/bodies/*.txtar")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d bodies, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			body := strings.TrimSuffix(string(archive.Files[0].Data), "\n")
			if archive.Files[0].Name == "quoted" {
				if body, err = strconv.Unquote(body); err != nil {
					t.Fatal(err)
				}
			}
			strict, refused := ReadStrict([]byte(body))
			if good := strings.HasPrefix(name, "good_"); good != (refused == nil) {
				t.Errorf("%s is read as %s", body, said(strict, refused))
			}
			if refused == nil && !json.Valid([]byte(body)) {
				t.Error("no JSON was taken for good")
			}
			m, err := Read([]byte(body))
			if refused == nil && !reflect.DeepEqual(m, strict) {
				t.Errorf("a transparent route reads %+v, %v", m, err)
			}
			got := []txtar.File{{Name: "read", Data: []byte(said(m, err))}, {Name: "with a policy", Data: []byte(said(strict, refused))}}
			if refused == nil {
				got = got[1:]
			}
			if flag.Lookup("update").Value.String() == "true" {
				archive.Files = append(archive.Files[:1], got...)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !reflect.DeepEqual(archive.Files[1:], got) {
				t.Errorf("read as\n%sthe corpus says otherwise: go test ./gateway/envelope -update", txtar.Format(&txtar.Archive{Files: got}))
			}
		})
	}
}
