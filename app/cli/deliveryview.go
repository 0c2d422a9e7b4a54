package cli

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
)

// answerLines is how much of a receiver's answer is shown; --json has it all.
const answerLines = 12

// showDelivery writes a delivery with its attempts, each line after indent.
func (s *session) showDelivery(d *admin.Delivery, indent string) {
	line := indent + d.ID.String() + "  " + s.out.Strong.Render(term.Clean(d.Name)) + "  " + s.deliveryState(d)
	if detail := s.deliveryDetail(d); detail != "" {
		line += "  " + detail
	}
	s.out.Println(line)
	if d.Key != "" {
		s.out.Printf("%s  %s %s\n", indent, s.out.Dim.Render("ordering key:"), term.Clean(d.Key))
	}
	for _, w := range d.Warnings {
		s.out.Printf("%s  %s\n", indent, s.out.Warn.Render("! "+term.Clean(w)))
	}
	for _, a := range d.History {
		s.showAttempt(&a, indent+"  ")
	}
	if len(d.Output) > 0 {
		s.out.Printf("%s  %s\n", indent, s.out.Dim.Render("output"))
		s.out.Println(term.Indent(term.CleanBlock(indented(d.Output)), indent+"    "))
	}
}

func (s *session) showAttempt(a *admin.Attempt, indent string) {
	line := indent + "attempt " + strconv.Itoa(a.Number) + "  " + a.Started.Local().Format(time.DateTime)
	if a.Status != 0 {
		line += "  " + statusText(a)
	}
	line += "  " + milliseconds(a.DurationMS)
	if a.Error != "" {
		line += "  " + s.out.Bad.Render("✗ "+term.Clean(a.Error))
	} else {
		line += "  " + s.out.Good.Render("✓")
	}
	s.out.Println(line)
	for _, name := range slices.Sorted(maps.Keys(a.Outputs)) {
		s.out.Printf("%s  %s %s\n", indent, s.out.Dim.Render(term.Clean(name)), term.Clean(a.Outputs[name]))
	}
	if answer := strings.TrimSpace(a.Answer); answer != "" {
		lines := strings.Split(term.CleanBlock(answer), "\n")
		if len(lines) > answerLines {
			lines = append(lines[:answerLines], "…")
		}
		s.out.Println(s.out.Dim.Render(indent + "  answer"))
		s.out.Println(term.Indent(strings.Join(lines, "\n"), indent+"    "))
	}
}

// indented lays out JSON for reading; what is no JSON stays as it is.
func indented(text json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		return string(text)
	}
	return b.String()
}

// statusText is the status of an answer with its name in HTTP, but for one of
// another protocol, which the error tells: 503 means something else to a mail
// server.
func statusText(a *admin.Attempt) string {
	number := strconv.Itoa(a.Status)
	named := strings.TrimSpace(number + " " + http.StatusText(a.Status))
	if strings.HasPrefix(a.Error, number+" ") && !strings.HasPrefix(a.Error, named) {
		return number
	}
	return named
}
