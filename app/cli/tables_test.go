package cli_test

import (
	"strings"
	"testing"
)

// Records are set, shown, exported and deleted by hand, whatever their keys hold;
// rules see them, and what is not there is told.
func TestTables(t *testing.T) {
	t.Parallel()
	config := writeConfig(t, strings.Replace(serverConfig, "LISTEN", freePort(t), 1)+`
tables: { sites: { keep: 400d } }
connections: { log: { type: log } }
rules:
  - { name: tell, from: shop, when: 'lookup("sites", "a/b c%")?.n == 3', then: [{ to: log, text: hi }, { remember: { table: sites, key: '"seen"', add: { n: 1 } } }] }
`)
	startServer(t, config)
	const odd = "a/b c%"
	for _, step := range []struct {
		args string
		code int
		want string
	}{
		{"tables list", 0, "sites  0        400d"},
		{"tables get sites 7", 5, `sites has no record "7"`},
		{"tables get site 7", 5, `no kept table is called "site": did you mean "sites"?`},
		{"tables set sites KEY status=Done n=3", 0, `{"n":3,"status":"Done"}`},
		{"tables set sites KEY status=null", 0, `{"n":3}`},
		{"tables set sites KEY n", 2, `"n" sets no field`},
		{"tables set other KEY n=1", 5, `no kept table is called "other"`},
		{"events send shop --sample", 0, ""},
		{"tables get sites seen", 0, `{"n":1}`},
		{"tables export sites", 0, `"key":"a/b c%","value":{"n":3},"version":2`},
		{"tables delete sites KEY", 0, "1 record deleted"},
		{"tables delete sites KEY", 5, "has no record"},
		{"tables list", 0, "sites  1        400d"},
	} {
		args := strings.Fields(step.args)
		for i := range args {
			if args[i] == "KEY" {
				args[i] = odd
			}
		}
		got := run(t, append(args, "-c", config)...)
		if got.code != step.code || !strings.Contains(got.out+got.errOut, step.want) {
			t.Errorf("%s: %d\n%s%s", step.args, got.code, got.out, got.errOut)
		}
	}
}
