// Package promises lists what hookgate promises and what it defends against,
// and finds the tests that hold it to that: each says so in the last line of
// its comment, as in
//
//	// Promise: P1, P4.
//
// The table in docs/reliability.md is made of both.
package promises

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Promise is a row of the table.
type Promise struct{ ID, Text string }

// All are the promises (P) and the threats with their defences (T). A number
// that is missing is one that this version does not promise.
var All = []Promise{
	{"P1", "no acknowledged event is lost by a kill at any instruction"},
	{"P2", "none is lost by a power failure: what is acknowledged was flushed before"},
	{"P4", "every delivery is made at least once, under the same id at every attempt"},
	{"P5", "a kill repeats only what was under way; a stop by SIGTERM nothing"},
	{"P6", "the same id of a sender within the window is one event"},
	{"P7", "one replica at a time makes a delivery, and a stale one changes nothing"},
	{"P8", "deliveries with one ordering key go one after the other"},
	{"P9", "failed attempts are repeated by the schedule, Retry-After is a minimum, and the end of an outage sends what failed for it"},
	{"P10", "which answers are tried again is as published"},
	{"P11", "a delivery that failed for good is kept"},
	{"P12", "a full disk: 503 with Retry-After, no damage, and recovery without a restart"},
	{"P13", "a failed flush: nothing more is acknowledged, and the process ends"},
	{"P14", "a locked database: a bounded wait, then 503"},
	{"P15", "a clock that jumps loses nothing and causes no storm"},
	{"P16", "a configuration with an error is refused whole; a valid one drops nothing"},
	{"P17", "SIGTERM: what is under way is finished, exit status 0"},
	{"P18", "what is under way is bounded: 429 for a source, 503 altogether, memory below 256 MB"},
	{"P19", "a bad event or rule harms itself alone"},
	{"P20", "a slow connection holds up no other"},
	{"P21", "retention deletes nothing that is undelivered"},
	{"P22", "no secret in what is stored or shown"},
	{"P24", "PostgreSQL out of reach: that replica acknowledges nothing, and others take over"},
	{"P25", "an upgrade loses nothing, and one that is interrupted goes on"},
	{"F1", "what is scheduled survives kill -9, goes not before its moment, and is decided once"},
	{"F2", "an accepted event is in exactly one digest of its key, which is sent once, over kills and all replicas"},
	{"F3", "a tick of a schedule is one event over all replicas, and those that were missed are one"},
	{"F4", "a throttle's count is exact, over kills and all replicas"},
	{"F5", "of two events with one record, one sees the other, over all replicas"},
	{"F6", "reloads and restarts lose, repeat and re-route nothing that waits for its moment"},
	{"F8", "what comes after a delivery survives kill -9 and is made once, under the id that was reserved for it, over all replicas"},
	{"F7", "a delivery that fails for good is told of once: by one event of source hookgate"},
	{"T1", "forged and recorded webhooks: signature over the raw body, timestamp within a tolerance"},
	{"T2", "bombs of gzip, JSON, XML, multipart: limits on size, values, depth and parts, one budget for all"},
	{"T3", "slow requests and uploads, many connections: deadlines, progress, caps for each address and altogether"},
	{"T4", "request smuggling: one allowed answer for each odd request"},
	{"T5", "a forged X-Forwarded-For: proxies that are trusted only"},
	{"T6", "form spam: honeypot, time, captcha, rate limits, origins"},
	{"T7", "hostile uploads: sniffed types, random names, downloads that are never shown"},
	{"T8", "scripts in pages, formulas in CSV, control characters in a terminal"},
	{"T9", "requests to private addresses: one guarded way out, checked when it dials"},
	{"T10", "hostile answers: caps on size and time"},
	{"T11", "expressions that blow up: limits on steps and memory"},
	{"T12", "a stranger's text that becomes a header of a mail, or calls a channel"},
	{"T13", "other sites' pages, stolen sessions, tried passwords: tokens in forms, Origin, JSON only, lockout"},
	{"T14", "secrets in output: a type that prints itself redacted"},
	{"T15", "a disk that strangers fill: quotas for a day, a floor of free space"},
	{"T16", "small numbers and values that grow in what is sent: the sender's spelling, a bound for outputs"},
	{"T17", "a form that mails strangers: caps for a mailbox, a form and an hour"},
	{"T18", "other users of the machine: the database is readable by its owner only"},
}

var mark = regexp.MustCompile(`^Promise: ([A-Z][0-9]+(?:, [A-Z][0-9]+)*)\.$`)

// Tests finds the tests below root that say what they hold, by promise: the
// folder and the name of each.
func Tests(root string) (map[string][]string, error) {
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		return tests(root, path, found)
	})
	for _, list := range found {
		slices.Sort(list)
	}
	return found, err
}

func tests(root, path string, found map[string][]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	folder, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Doc == nil {
			continue
		}
		lines := strings.Split(strings.TrimSpace(f.Doc.Text()), "\n")
		last := lines[len(lines)-1]
		m := mark.FindStringSubmatch(last)
		switch {
		case m == nil && strings.HasPrefix(last, "Promise"):
			return fmt.Errorf("%s: %s: %q is not as in %q", path, f.Name, last, "Promise: P1, P4.")
		case m == nil:
			continue
		case !strings.HasPrefix(f.Name.Name, "Test"):
			return fmt.Errorf("%s: %s holds no promise: it is no test", path, f.Name)
		}
		for id := range strings.SplitSeq(m[1], ", ") {
			found[id] = append(found[id], "`"+f.Name.Name+"` in `"+filepath.ToSlash(folder)+"`")
		}
	}
	return nil
}

// Table is the table of the documentation. A promise without a test and a test
// that holds none of All are errors.
func Table(found map[string][]string) (string, error) {
	var b strings.Builder
	var faults []string
	b.WriteString("| | what is promised | by which tests |\n|---|---|---|\n")
	known := map[string]bool{}
	for _, p := range All {
		known[p.ID] = true
		if len(found[p.ID]) == 0 {
			faults = append(faults, p.ID+" has no test: "+p.Text)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", p.ID, p.Text, strings.Join(found[p.ID], ", "))
	}
	for id, list := range found {
		if !known[id] {
			faults = append(faults, fmt.Sprintf("there is no promise %s, which %s names", id, list[0]))
		}
	}
	if len(faults) > 0 {
		slices.Sort(faults)
		return "", fmt.Errorf("%s", strings.Join(faults, "\n"))
	}
	return b.String(), nil
}
