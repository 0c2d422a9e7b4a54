package rules

import (
	"fmt"
	"strings"

	"hookgate/internal/diag"
)

// doubts is what the errors of a rule leave unknown of it.
type doubts struct {
	any      bool // it has an error somewhere
	audience bool // what it listens to
}

// doubtsOf reads what is in doubt of the rule at position i from the paths of
// the configuration's errors.
func doubtsOf(i int, faults diag.List) doubts {
	var d doubts
	path := fmt.Sprintf("rules[%d]", i)
	for j := range faults {
		rest, own := strings.CutPrefix(faults[j].Path, path)
		if faults[j].Severity != diag.Error || !own {
			continue
		}
		d.any = true
		if rest == "" || under(rest, ".from") || under(rest, ".events") {
			d.audience = true
		}
	}
	return d
}

// under reports whether path is that of the key or of what is below it.
func under(path, key string) bool {
	rest, found := strings.CutPrefix(path, key)
	return found && (rest == "" || rest[0] == '.' || rest[0] == '[')
}
