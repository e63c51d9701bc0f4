package config

import (
	"embed"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// sources are where the schema's descriptions come from: the comments beside the keys.
//
//go:embed config.go budgets.go telemetry.go
var sources embed.FS

// Schema is the JSON Schema of the file, for editors: the one Load judges by, told of what Load does before it
// judges. A value may be left empty, and ${VAR} may stand where a number or a word of a list will.
func Schema() ([]byte, error) {
	s := schemaOf(reflect.TypeFor[Config](), comments())
	asWritten(s)
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// asWritten changes the schema of a map from what is judged to what may be written.
func asWritten(s *jsonschema.Schema) {
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		if asWritten(pair.Value); pair.Value.Type != "" {
			beforeFilledIn(pair.Value)
		}
	}
	if each := s.AdditionalProperties; each != nil && each.Type == "object" {
		asWritten(each)
		each.Required = []string{"upstream"}
	} else if each != nil && each.Type != "" {
		beforeFilledIn(each)
	}
}

// beforeFilledIn lets a value be empty, or a variable that is not filled in yet.
func beforeFilledIn(s *jsonschema.Schema) {
	const variable = `\$\{`
	types := []string{s.Type, "null"}
	switch {
	case len(s.Enum) > 0:
		s.AnyOf = []*jsonschema.Schema{{Enum: s.Enum}, {Pattern: variable}}
		s.Enum = nil
	case s.Pattern != "":
		s.Pattern += "|" + variable
	case s.Type != "object" && s.Type != "array" && s.Type != "string":
		types, s.Pattern = append(types, "string"), variable
	}
	s.Type, s.Extras = "", map[string]any{"type": types}
}

// schemaOf makes the schema of a struct with koanf tags, its keys described by comments, which may be nil.
func schemaOf(t reflect.Type, comments map[string]string) *jsonschema.Schema {
	s := reflector(comments).ReflectFromType(t)
	if t != reflect.TypeFor[Config]() {
		return s
	}
	s.ID, s.Title = "", "signet.yaml"
	defaults := reflector(comments).ReflectFromType(reflect.TypeFor[Route]())
	defaults.Version, defaults.ID = "", ""
	defaults.Properties.Delete("upstream")
	defaults.Description = "Any key of a route except upstream. A route's own key wins."
	s.Properties.Set("defaults", defaults)
	return s
}

func reflector(comments map[string]string) *jsonschema.Reflector {
	return &jsonschema.Reflector{
		Anonymous:                  true,
		DoNotReference:             true,
		ExpandedStruct:             true,
		FieldNameTag:               "koanf",
		RequiredFromJSONSchemaTags: true,
		CommentMap:                 comments,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case reflect.TypeFor[time.Duration]():
				return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$|^0$`, Examples: []any{"30s", "5m", "1h30m"}}
			case reflect.TypeFor[Size]():
				return &jsonschema.Schema{Type: "string", Pattern: `^[0-9]+(KiB|MiB|GiB|B)$`, Examples: []any{"64KiB", "4MiB"}}
			}
			return nil
		},
	}
}

// comments are the doc comments of the fields, by the names that jsonschema looks for.
func comments() map[string]string {
	all := map[string]string{}
	for _, name := range []string{"config.go", "budgets.go", "telemetry.go"} {
		text, err := sources.ReadFile(name)
		if err != nil {
			panic(err) // it is embedded
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments)
		if err != nil {
			panic(err) // it is one this package was built from
		}
		for _, d := range file.Decls {
			commented(d, all)
		}
	}
	return all
}

// commented adds the comments of a struct's fields to all.
func commented(d ast.Decl, all map[string]string) {
	types, ok := d.(*ast.GenDecl)
	if !ok || types.Tok != token.TYPE {
		return
	}
	spec := types.Specs[0].(*ast.TypeSpec)
	fields, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range fields.Fields.List {
		for _, name := range f.Names {
			all["signet/config."+spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
		}
	}
}
