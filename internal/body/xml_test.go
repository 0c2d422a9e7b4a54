package body_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/body"
)

func TestXML(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, raw, want string }{
		{"text", `<a>x</a>`, `{"a":"x"}`},
		{"empty", `<a/>`, `{"a":""}`},
		{"elements in order", `<o><id>7</id><name>Bo</name></o>`, `{"o":{"id":"7","name":"Bo"}}`},
		{"attributes", `<o id="7">x<b/></o>`, `{"o":{"@id":"7","b":"","#text":"x"}}`},
		{"attribute and text", `<o id="7"> x </o>`, `{"o":{"@id":"7","#text":"x"}}`},
		{"repeated", `<o><i>1</i><x/><i>2</i></o>`, `{"o":{"i":["1","2"],"x":""}}`},
		{"elements named like indexes cannot be", `<o><_0>1</_0></o>`, `{"o":{"_0":"1"}}`},
		{"namespaces", `<s:e xmlns:s="urn:x" xmlns="urn:y" s:k="v"><b/></s:e>`, `{"e":{"@k":"v","b":""}}`},
		{"cdata and entities", `<a><![CDATA[<b>]]>&amp;&#228;&lt;</a>`, `{"a":"<b>&ä<"}`},
		{"prolog, comments, doctype", "<?xml version=\"1.0\"?>\n<!DOCTYPE a>\n<!-- x --><a>1</a>\n<!-- y -->\n", `{"a":"1"}`},
		{"charset of the prolog", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xfc</a>", `{"a":"ü"}`},
		{"BOM", "\xef\xbb\xbf<a>ü</a>", `{"a":"ü"}`},
		{"utf-16", "\xfe\xff\x00<\x00a\x00>\x00\xfc\x00<\x00/\x00a\x00>", `{"a":"ü"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := MustDecode(t, body.Input{ContentType: "application/xml", Raw: []byte(tt.raw)})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	latin1 := body.Input{ContentType: "text/xml; charset=iso-8859-1", Raw: []byte("<?xml version=\"1.0\" encoding=\"utf-8\"?><a>\xfc</a>")}
	if got := MustDecode(t, latin1); got != `{"a":"ü"}` {
		t.Errorf("the charset parameter counts more than the prolog: %s", got)
	}
}

func TestXMLFaults(t *testing.T) {
	t.Parallel()
	lots := `<!DOCTYPE l [<!ENTITY a "xxxx"><!ENTITY b "&a;&a;&a;">]><l>&b;</l>`
	for raw, want := range map[string]string{
		"<a>\n <b></a>":    "invalid XML at line 2, column 9: element <b> closed by </a>",
		"<a>":              "invalid XML at line 1, column 4: the text ends inside an element",
		"<a/><b/>":         "a second root element follows the first one",
		"hello":            "text stands outside of the root element",
		"<!-- nothing -->": "there is no element",
		lots:               "an entity other than",
		`<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`: "an entity other than",
		`<?xml version="1.0" encoding="klingon"?><a/>`:                     "its charset is not known",
		"<a>\xfc</a>":               "invalid XML",
		strings.Repeat("<a>", 65):   "it nests deeper than 64 levels",
		`<?xml version="2.0"?><a/>`: "cannot be read",
	} {
		fault := MustFail(t, body.Input{ContentType: "application/xml", Raw: []byte(raw)})
		if fault.Status != 400 || fault.Line < 1 || !strings.Contains(fault.Message, want) {
			t.Errorf("%.40q: %+v, want %s", raw, fault, want)
		}
	}
}

func FuzzXML(f *testing.F) {
	for _, seed := range []string{`<a b="c"><d/>x<d>y</d></a>`, `<a xmlns:x="y" x:z="1"/>`, "<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>", "<a><![CDATA[", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>", "\xff\xfe<\x00a\x00/\x00>\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { checkDecode(t, body.Input{ContentType: "text/xml", Raw: raw}) })
}
