package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestFunctions(t *testing.T) {
	t.Parallel()
	got := run(t, "functions")
	for _, want := range []string{"Text\n", "  slug ", "  upper ", "Numbers\n", "  format_money "} {
		if got.code != 0 || !strings.Contains(got.out, want) {
			t.Errorf("got %d, and no %q in\n%s", got.code, want, got.out)
		}
	}
	golden(t, "functions_truncate", run(t, "functions", "truncate").out)
	var list struct {
		Items []struct {
			Name, Group, Signature, Doc string
			Examples                    []struct {
				Code  string
				Value any
			}
		}
	}
	got = run(t, "functions", "--json")
	if err := json.Unmarshal([]byte(got.out), &list); err != nil || len(list.Items) < 100 {
		t.Fatalf("got %d functions, %v", len(list.Items), err)
	}
	var one struct{ Examples []struct{ Value any } }
	got = run(t, "functions", "round_to", "--json")
	if err := json.Unmarshal([]byte(got.out), &one); err != nil || len(one.Examples) == 0 || one.Examples[0].Value != 2.35 {
		t.Errorf("got %s, %v", got.out, err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"functions", "trunkate"}, 5, `did you mean "truncate"?`},
		{[]string{"functions", "qqq"}, 5, "hookgate functions lists them"},
		{[]string{"functions", "a", "b"}, 2, "the name of one function"},
	} {
		if got := run(t, c.args...); got.code != c.code || !strings.Contains(got.errOut, c.want) {
			t.Errorf("%v: got %d %s, want %d %s", c.args, got.code, got.errOut, c.code, c.want)
		}
	}
}
