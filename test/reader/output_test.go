package reader

import (
	"regexp"
	"strings"
	"testing"
)

// volatile is what differs each time, and what it is called instead, in order.
var volatile = []struct {
	is   *regexp.Regexp
	name string
}{
	{regexp.MustCompile(`\b(evt|dlv|aud|run|rpl)_[0-9a-z]+…?`), "${1}_ID"},
	{regexp.MustCompile(`\b\d{4}-\d\d-\d\d\b`), "DATE"},
	{regexp.MustCompile(`\b\d\d:\d\d(:\d\d)?(\.\d+)?\b`), "TIME"},
	{regexp.MustCompile(`\b\d+(\.\d+)? ?(µs|ms|s|min|h|d)\b`), "DURATION"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`config\.yaml:\d+(:\d+)?`), "config.yaml:LINE"},
	{regexp.MustCompile(`\b[0-9a-f]{7,}(…|\b)`), "HEX"},
	{regexp.MustCompile(` +`), " "},
}

func normal(line string) string {
	for _, v := range volatile {
		line = v.is.ReplaceAllString(line, v.name)
	}
	return strings.TrimSpace(line)
}

// heading is the line above a table.
var heading = regexp.MustCompile(`^[A-Z0-9→, -]*[A-Z]{2}[A-Z0-9→, -]*$`)

// difference says what of the wanted lines did not come, in their order; "": all
// came. `…` stands for any text, and alone in a line for any lines. Of an example
// only the headings of tables are compared.
func difference(want []string, got string, example bool) string {
	var lines []string
	for line := range strings.SplitSeq(got, "\n") {
		lines = append(lines, normal(line))
	}
	at := 0
	for _, line := range want {
		line = normal(line)
		if line == "" || line == "…" || example && !heading.MatchString(line) {
			continue
		}
		like := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + "$")
		for at < len(lines) && !like.MatchString(lines[at]) {
			at++
		}
		if at == len(lines) {
			return "the page shows the line\n  " + line + "\nwhich does not come, or not there, in\n" + got
		}
		at++
	}
	return ""
}

// What differs each time is passed over, and nothing else.
func TestDifference(t *testing.T) {
	t.Parallel()
	const got = "hookgate: waiting\n11:02:03  evt_59zabc0  sitejet  slack-web ✓ 3.2 ms\n2 rules, 1 line\nRULE   NOW  THEN\n"
	for want, same := range map[string]bool{
		"10:42:07  evt_7q2  sitejet  slack-web ✓ 210 ms":   true,
		"10:42:07  evt_7q2  sitejet  slack-web ✗ 210 ms":   false,
		"10:42:07 …\n…\nRULE NOW THEN":                     true,
		"2 rules, 1 line\n10:42:07 evt_… sitejet … 210 ms": false, // not in this order
		"3 rules, 1 line": false,
	} {
		if diff := difference(strings.Split(want, "\n"), got, false); (diff == "") != same {
			t.Errorf("%q: %s", want, diff)
		}
	}
	if difference([]string{"RULE  NOW", "a  1"}, got, true) == "" || difference([]string{"RULE  NOW  THEN", "a  1"}, got, true) != "" {
		t.Error("of an example the heading is compared, and nothing else")
	}
}
