package all_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"hookgate/connectors"
	"hookgate/connectors/all"
	"hookgate/internal/yamlnode"
	"hookgate/test/connectortest"
)

// Every setting that a kind declares is accepted by its strict decoder.
func TestSettings_declaredAreAccepted(t *testing.T) {
	t.Parallel()
	for _, kind := range all.Kinds() {
		forEachSetting(kind.Settings, "", func(path string, s connectors.Setting) {
			got := connectortest.Faults(t, kind.Name, nested(path, sampleValue(s)), connectortest.Deps(t))
			key := path[strings.LastIndexByte(path, '.')+1:]
			if strings.Contains(got, fmt.Sprintf("has no key %q", key)) || strings.Contains(got, "error[wrong-type]") {
				t.Errorf("%s: %s is declared, but:\n%s", kind.Name, path, got)
			}
		})
	}
}

// Every setting that a decoder accepts is declared, at every depth: the
// message about a key that nobody has lists those that there are.
func TestSettings_acceptedAreDeclared(t *testing.T) {
	t.Parallel()
	for _, kind := range all.Kinds() {
		check := func(path string, fields []connectors.Setting, also ...string) {
			names := slices.Clone(also)
			for _, f := range fields {
				names = append(names, f.Name)
			}
			sort.Strings(names)
			want := "(it has " + strings.Join(names, ", ") + ")"
			if got := connectortest.Faults(t, kind.Name, nested(path+"qqqqqqqqqqqq", "1"), connectortest.Deps(t)); !strings.Contains(got, want) {
				t.Errorf("%s: under %q the decoder says\n%s\nand declared is\n%s", kind.Name, path, got, want)
			}
		}
		check("", kind.Settings, connectors.CommonKeys()...)
		forEachSetting(kind.Settings, "", func(path string, s connectors.Setting) {
			if s.Type == yamlnode.ObjectType && !s.Open {
				check(path+".", s.Fields)
			}
		})
	}
}

// A setting is explained, has a type, and an example of that type.
func TestSettings_documented(t *testing.T) {
	t.Parallel()
	for _, kind := range all.Kinds() {
		if len(kind.Settings) == 0 {
			t.Errorf("%s declares no settings", kind.Name)
		}
		forEachSetting(kind.Settings, "", func(path string, s connectors.Setting) {
			if !strings.HasSuffix(s.Doc, ".") || s.Type == "" || s.Type == yamlnode.AnyType && len(s.OneOf) == 0 {
				t.Errorf("%s: %s is not explained: %+v", kind.Name, path, s)
			}
			if s.Example == "" && s.Type != yamlnode.EnumType && s.Type != yamlnode.BoolType {
				t.Errorf("%s: %s has no example", kind.Name, path)
			}
			if s.Secret && s.Default == "" && looksSecret(s.Name) && !strings.Contains(s.Example, "${") {
				t.Errorf("%s: the example of the secret %s does not come from the environment", kind.Name, path)
			}
		})
	}
}

func looksSecret(name string) bool {
	return strings.Contains(name, "token") || strings.Contains(name, "password") || strings.Contains(name, "secret")
}

// forEachSetting visits settings and the keys inside of them.
func forEachSetting(list []connectors.Setting, prefix string, visit func(path string, s connectors.Setting)) {
	for _, s := range list {
		visit(prefix+s.Name, s)
		forEachSetting(s.Fields, prefix+s.Name+".", visit)
	}
}

// nested is YAML with value at path.
func nested(path, value string) string {
	depth := strings.Count(path, ".")
	return strings.ReplaceAll(path, ".", ": { ") + ": " + value + strings.Repeat(" }", depth)
}

// sampleValue is a value of the setting's type.
func sampleValue(s connectors.Setting) string {
	switch s.Type {
	case yamlnode.TextType:
		return "'" + s.Example + "'"
	case yamlnode.EnumType:
		return s.Values[0]
	case yamlnode.BoolType:
		return "true"
	default:
		return s.Example
	}
}
