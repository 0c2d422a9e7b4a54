package table_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/table"
)

// A table that was stored has the rows, and the hash, that it had.
func TestParse(t *testing.T) {
	t.Parallel()
	made, err := table.New("code", []string{"code", "price"}, []map[string]any{{"code": 7, "price": json.Number("19.90")}, {"code": "m", "price": nil}})
	if err != nil {
		t.Fatal(err)
	}
	again, err := table.Parse(made.Content())
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != made.Hash() || again.Len() != 2 || again.Row("x") != nil {
		t.Errorf("got %s, %d rows", again.Hash(), again.Len())
	}
	row, _ := again.Row("7").(map[string]any)
	if text, err := json.Marshal(row); err != nil || string(text) != `{"code":7,"price":19.90}` {
		t.Errorf("got %s, %v", text, err)
	}
	if len(again.Rows()) != 2 {
		t.Errorf("got %v", again.Rows())
	}
}

func TestReadCSV(t *testing.T) {
	t.Parallel()
	want := []map[string]any{{"land": "DE", "email": "a@x.de"}, {"land": "AT", "email": nil}}
	for _, text := range []string{
		"land,email\nDE,a@x.de\nAT,\n", "\uFEFFland;email\r\nDE;a@x.de\r\nAT;\r\n", "land\temail\nDE\ta@x.de\n\nAT\t \n", "land,email\n\"DE\",\"a@x.de\"\nAT,\"\"",
	} {
		got, err := table.ReadCSV([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got.Rows); diff != "" {
			t.Errorf("%q (-want +got)\n%s", text, diff)
		}
	}
	for text, wrong := range map[string]string{
		"": "the file is empty", "a,,b\n": "a column has no name", "a,a\n": `two columns are called "a"`, "a,b\n1\n": "the line has 1 values, and there are 2 columns",
		"a,b\n\"1,2\n": "the line is not CSV",
	} {
		if _, err := table.ReadCSV([]byte(text)); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
