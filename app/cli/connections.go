package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/yamlnode"
	"hookgate/rules/lang"
)

func newConnections(s *session) *cobra.Command {
	return group("connections", groupOperate, "See how connections are, test, pause and resume them",
		newConnectionsList(s), newConnectionsShow(s), newConnectionsTest(s), newConnectionsPause(s), newConnectionsResume(s))
}

func newConnectionsList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the connections and how they are",
		Example: `  hookgate connections list`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).Connections, func(page *admin.Page[admin.Connection]) { s.printConnections(page.Items) })
		},
	}
}

func newConnectionsShow(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show all that is known of one connection",
		Example: `  hookgate connections show billing`,
		Args:    exactly("the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Connection, error) {
				return server.Connection(ctx, args[0])
			}, s.printConnection)
		},
	}
}

func newConnectionsPause(s *session) *cobra.Command {
	var p admin.Pausing
	var until string
	c := &cobra.Command{
		Use: "pause NAME", Short: "Hold what goes to a connection; nothing is lost",
		Example: `  hookgate connections pause billing --for 2h --note "they move house"
  hookgate connections pause billing --until 17:00`,
		Long: `Hold what goes to a connection. Events are accepted as ever, their deliveries
wait as "held" until hookgate connections resume, over restarts and on all
replicas. What is being sent right now is finished. With --for or --until it goes
on by itself then.`,
		Args: exactly("the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if until != "" {
				at, err := s.parseEnd(until)
				if err != nil {
					return err
				}
				p.Until = &at
			}
			return answered(cmd.Context(), s, func(server *client.Client, ctx context.Context) (admin.Connection, error) {
				return server.Pause(ctx, args[0], p)
			}, func(c *admin.Connection) {
				s.note("%s is paused since %s (%s): %s held, %s being sent", term.Clean(c.Name), s.when(c.Paused.Since), term.Clean(c.Paused.By), thousands(c.Held), thousands(c.Sending))
				if c.Paused.Until != nil {
					s.note("it goes on by itself %s; hookgate connections resume %s lets it go on now", s.opening(*c.Paused.Until), term.Clean(c.Name))
					return
				}
				s.note("hookgate connections resume %s lets it go on", term.Clean(c.Name))
			})
		},
	}
	c.Flags().StringVar(&p.Note, "note", "", "`why`, for those who wonder")
	c.Flags().StringVar(&p.For, "for", "", "it goes on by itself after this `time`, such as 2h")
	c.Flags().StringVar(&until, "until", "", "it goes on by itself at this `time`, such as 17:00 or 2026-03-27T16:50")
	return c
}

// parseEnd reads a time to come: one without a day is the next that the clock shows.
func (s *session) parseEnd(text string) (time.Time, error) {
	if clock, err := time.ParseInLocation("15:04", text, time.Local); err == nil {
		now := s.now().Local()
		at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), 0, 0, time.Local)
		if !at.After(now) {
			at = time.Date(now.Year(), now.Month(), now.Day()+1, clock.Hour(), clock.Minute(), 0, 0, time.Local)
		}
		return at, nil
	}
	if at, ok := lang.ReadTime(text, time.Local); ok {
		return at, nil
	}
	return time.Time{}, usageError("write it like 17:00, or 2026-03-27T16:50", fmt.Errorf("--until: %q is no time", text))
}

func newConnectionsResume(s *session) *cobra.Command {
	var rate string
	c := &cobra.Command{
		Use: "resume NAME", Short: "Let a paused connection go on, and send what was held",
		Example: `  hookgate connections resume billing --rate 5/s`,
		Args:    exactly("the name of a connection"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var parsed yamlnode.Rate
			if err := parsed.UnmarshalText([]byte(rate)); rate != "" && err != nil {
				return usageError("", fmt.Errorf("--rate %s: %w", rate, err))
			}
			server, err := s.connect()
			if err != nil {
				return err
			}
			before, err := server.Connection(cmd.Context(), args[0])
			if err != nil {
				return serverError(err)
			}
			c, err := server.Resume(cmd.Context(), args[0], admin.Resuming{Rate: rate})
			if err != nil {
				return serverError(err)
			}
			if s.json {
				return s.printJSON(c)
			}
			s.printResumed(&before, &c)
			return nil
		},
	}
	c.Flags().StringVar(&rate, "rate", "", "send what was held at this `rate` at most, such as 5/s")
	return c
}

func (s *session) printResumed(before, c *admin.Connection) {
	at := "as quickly as it may"
	switch {
	case c.Releasing != "":
		at = "at " + c.Releasing + " at most"
	case c.RateLimit != "":
		at = "at " + c.RateLimit
	}
	if before.Paused == nil {
		s.note("%s was not paused; it sends %s", term.Clean(c.Name), at)
		return
	}
	s.note("%s goes on: what was held (%s) is sent %s", term.Clean(c.Name), thousands(before.Held), at)
}

func newConnectionsTest(s *session) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "test NAME | test --all", Short: "Try a connection: by a harmless call, or by a test message",
		Example: `  hookgate connections test slack-web
  hookgate connections test --all`,
		Long: `Try a connection: by a harmless call where its kind has one, else by a message
that says that it is a test, after a question. --all tries every connection that
can be tried without a message, and with --yes the others too.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if all {
				return exactly()(cmd, args)
			}
			return exactly("the name of a connection")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			server, err := s.connect()
			if err != nil {
				return err
			}
			if all {
				return s.testAll(cmd.Context(), server)
			}
			return s.testOne(cmd.Context(), server, args[0])
		},
	}
	c.Flags().BoolVar(&all, "all", false, "try all connections")
	return c
}

// testOne tries a connection, and asks first where that sends a message.
func (s *session) testOne(ctx context.Context, server *client.Client, name string) error {
	tested, err := server.TestConnection(ctx, name, false)
	if err != nil {
		return serverError(err)
	}
	if !tested.Done && !tested.Untestable {
		if !s.yes && !s.interactive() {
			return usageError("--yes does it", fmt.Errorf("a test of %s %s", term.Clean(name), term.Clean(tested.What)))
		}
		yes, err := s.confirm(fmt.Sprintf("This %s. Do it?", term.Clean(tested.What)))
		if err != nil || !yes {
			return err
		}
		if tested, err = server.TestConnection(ctx, name, true); err != nil {
			return serverError(err)
		}
	}
	return s.printTested(name, &tested)
}

// testedAll is an item of what `connections test --all --json` prints.
type testedAll struct {
	Name string `json:"name"`
	admin.Tested
}

// testAll tries every connection, one after the other.
func (s *session) testAll(ctx context.Context, server *client.Client) error {
	page, err := server.Connections(ctx)
	if err != nil {
		return serverError(err)
	}
	items, failed := []testedAll{}, 0
	for _, c := range page.Items {
		tested, err := server.TestConnection(ctx, c.Name, s.yes)
		if err != nil {
			return serverError(err)
		}
		items = append(items, testedAll{c.Name, tested})
		if tested.Done && !tested.OK {
			failed++
		}
		if !s.json {
			s.printTestedLine(c.Name, &tested)
		}
	}
	if s.json {
		if err := s.printJSON(map[string]any{"items": items}); err != nil {
			return err
		}
	}
	if failed > 0 {
		return &failure{code: exitFailed, err: fmt.Errorf("%d of %s failed", failed, plural(len(items), "connection"))}
	}
	return nil
}

// printTestedLine is printTested for one of many.
func (s *session) printTestedLine(name string, t *admin.Tested) {
	name = s.out.Name.Render(term.Clean(name))
	switch {
	case t.Untestable:
		s.out.Printf("– %s  has no test of its own\n", name)
	case !t.Done:
		s.out.Printf("– %s  %s: left out, --yes does it\n", name, term.Clean(t.What))
	case t.OK:
		s.out.Printf("%s %s  %s, %s\n", s.out.Good.Render("✓"), name, term.Clean(cmp.Or(t.Said, t.What)), milliseconds(t.DurationMS))
	default:
		s.out.Printf("%s %s  %s\n", s.out.Bad.Render("✗"), name, term.Clean(t.Error))
		if hint := testHint(t); hint != "" {
			s.out.Println("    " + hint)
		}
	}
}

func (s *session) printTested(name string, t *admin.Tested) error {
	if s.json {
		if err := s.printJSON(t); err != nil {
			return err
		}
	}
	if t.Untestable {
		return &failure{
			code: exitFailed, err: fmt.Errorf("connections of the kind of %s have no test of their own", name),
			hint: "send a sample through a rule: hookgate events send SOURCE FILE; a recipe of your own can have a test",
		}
	}
	if s.json {
		if !t.OK {
			return &failure{code: exitFailed}
		}
		return nil
	}
	sign := s.out.Good.Render("✓")
	if !t.OK {
		sign = s.out.Bad.Render("✗")
	}
	s.out.Printf("%s %s: %s\n", sign, term.Clean(name), term.Clean(t.What))
	result := []string{}
	switch {
	case t.Status > 0:
		result = append(result, fmt.Sprint(t.Status))
	case !t.OK:
		result = append(result, "none")
	}
	result = append(result, milliseconds(t.DurationMS))
	if t.Said != "" {
		result = append(result, term.Clean(t.Said))
	}
	s.out.Printf("  answer: %s\n", strings.Join(result, ", "))
	for _, name := range slices.Sorted(maps.Keys(t.Outputs)) {
		s.out.Printf("  output %s: %s\n", term.Clean(name), term.Clean(t.Outputs[name].String()))
	}
	if text := strings.TrimSpace(t.Answer); text != "" && t.Said == "" {
		s.out.Println(term.Indent(term.Cut(term.Clean(text), 4*s.out.Width()), "  "))
	}
	if !t.OK {
		return &failure{code: exitFailed, err: errors.New(t.Error), hint: testHint(t)}
	}
	return nil
}

// testHints say where to look, by what the error of a test holds.
var testHints = []struct{ part, hint string }{
	{"the token was refused", "look at the login under oauth, auth or the like in the connection's settings: where the token comes from, client and secret"},
	{"no such host", "look at the address in the connection's settings; the name is not known to the DNS of this machine"},
	{"host could not be looked up", "the DNS of this machine does not answer"},
	{"connection refused", "nothing listens there: look at host and port in the connection's settings"},
	{"unknown authority", "for an authority of your own, name its certificates under ca in the connection's settings"},
	{"another host", "look at the host in the connection's settings: the certificate is not made for it"},
	{"TLS: the certificate has expired", "the receiver has to renew it; look at this machine's clock, too"},
	{"timeout", "nothing answered in time: look at the address, and at firewalls in between"},
	{"host unreachable", "look at the address, and at the network of this machine"},
}

// testHint is what to look at after a test that failed; "" where its error says
// that itself.
func testHint(t *admin.Tested) string {
	if strings.Contains(t.Error, "outbound.allow_private") {
		return ""
	}
	for _, h := range testHints {
		if strings.Contains(t.Error, h.part) && t.Status == 0 {
			return h.hint
		}
	}
	switch t.Status {
	case http.StatusUnauthorized:
		return "the receiver does not know the login: look at key, token or password in the connection's settings"
	case http.StatusForbidden:
		return "the receiver knows the login or not, and does not allow this: look at the key's rights, and at key, token or password"
	case http.StatusNotFound, http.StatusGone:
		return "look at the address, and at the names and IDs in the connection's settings"
	}
	return ""
}

// printConnections prints the table of `connections list`.
func (s *session) printConnections(list []admin.Connection) {
	if len(list) == 0 {
		s.note("the config has no connections")
		return
	}
	lines := [][]string{{"CONNECTION", "TYPE", "STATE", "1 H", "24 H", "P95", "WAITING", "LAST ERROR"}}
	for i := range list {
		c := &list[i]
		detail := ""
		if c.State != "ok" || c.Failed > 0 {
			detail = term.Clean(c.LastError)
		}
		if c.Paused != nil && c.Paused.Note != "" {
			detail = "note: " + term.Clean(c.Paused.Note)
		}
		lines = append(lines, []string{
			s.out.Name.Render(term.Clean(c.Name)), c.Type, s.connectionState(c), rateOf(c.Hour), rateOf(c.Day), p95Of(c.Day), s.waitingOf(c), detail,
		})
	}
	widths := fit(lines, s.out.Width())
	for i, line := range lines {
		text := columns(line, widths)
		if i == 0 {
			text = s.out.Strong.Render(text)
		}
		s.out.Println(text)
	}
}

// when is a local time, with its date where that is not today.
func (s *session) when(t time.Time) string {
	t = t.Local()
	if y, m, d := s.now().Local().Date(); time.Date(y, m, d, 0, 0, 0, 0, t.Location()).After(t) {
		return t.Format("2006-01-02 15:04")
	}
	return t.Format("15:04")
}

// connectionState is a sign and a word.
func (s *session) connectionState(c *admin.Connection) string {
	switch c.State {
	case "paused":
		return s.out.Warn.Render("‖ paused")
	case "closed":
		return s.out.Dim.Render("◦ closed")
	case "open":
		return s.out.Bad.Render("✗ open")
	case "failing":
		return s.out.Bad.Render("▲ failing")
	}
	return s.out.Good.Render("● " + c.State)
}

// rateOf is how many attempts of a window got through.
func rateOf(w admin.Window) string {
	if w.Attempts == 0 {
		return "–"
	}
	percent := 100 * float64(w.Attempts-w.Failed) / float64(w.Attempts)
	switch {
	case w.Failed == 0:
		return "100 %"
	case percent > 99.9: // it is not all
		return "99.9 %"
	case percent >= 10:
		return fmt.Sprintf("%.3g %%", percent)
	}
	return fmt.Sprintf("%.1f %%", percent)
}

func p95Of(w admin.Window) string {
	if w.Attempts == 0 {
		return "–"
	}
	return milliseconds(w.P95MS)
}

func (s *session) waitingOf(c *admin.Connection) string {
	if c.OpensAt != nil && c.Paused == nil {
		return thousands(c.Held) + " until " + s.opening(*c.OpensAt)
	}
	if c.Paused != nil && c.Paused.Until != nil {
		return thousands(c.Held) + " until " + s.opening(*c.Paused.Until)
	}
	if c.Paused != nil {
		return thousands(c.Held) + " held"
	}
	return thousands(c.Waiting + c.Sending)
}

// printConnection prints one connection, a fact a line.
func (s *session) printConnection(c *admin.Connection) {
	fact := func(name, format string, args ...any) {
		s.out.Printf("%s%s\n", s.out.Dim.Render(term.Pad(name, 12)), fmt.Sprintf(format, args...))
	}
	s.out.Printf("%s  %s  %s\n", s.out.Strong.Render(term.Clean(c.Name)), c.Type, s.connectionState(c))
	s.printHolds(c, fact)
	if c.Releasing != "" {
		fact("releasing", "what was held, at %s at most", c.Releasing)
	}
	fact("waiting", "%s", thousands(c.Waiting))
	fact("sending", "%s", thousands(c.Sending))
	fact("failed", "%s in 24 h", thousands(c.Failed))
	for _, w := range []struct {
		name string
		admin.Window
	}{{"1 h", c.Hour}, {"24 h", c.Day}} {
		if w.Attempts == 0 {
			fact(w.name, "no attempts")
			continue
		}
		fact(w.name, "%s of %s delivered, 95 of 100 within %s", rateOf(w.Window), plural(w.Attempts, "attempt"), p95Of(w.Window))
	}
	if c.LastError != "" {
		at := ""
		if c.LastErrorAt != nil {
			at = s.when(*c.LastErrorAt) + "  "
		}
		fact("last error", "%s%s", at, term.Clean(c.LastError))
	}
	limit := c.RateLimit
	if limit == "" {
		limit = "no rate limit"
	}
	fact("settings", "timeout %s, concurrency %d, %s", c.Timeout, c.Concurrency, limit)
	names := make([]string, len(c.Rules))
	for i, rule := range c.Rules {
		names[i] = term.Clean(rule)
	}
	if len(names) == 0 {
		names = []string{"none: nothing is sent here"}
	}
	fact("rules", "%s", strings.Join(names, ", "))
}

// printHolds prints why a connection holds what is for it: it is paused, or closed.
func (s *session) printHolds(c *admin.Connection, fact func(name, format string, args ...any)) {
	if c.Paused != nil {
		fact("paused", "since %s by %s", s.when(c.Paused.Since), term.Clean(c.Paused.By))
		if c.Paused.Until != nil {
			fact("goes on", "%s", s.opening(*c.Paused.Until))
		}
		if c.Paused.Note != "" {
			fact("note", "%s", term.Clean(c.Paused.Note))
		}
		fact("held", "%s", thousands(c.Held))
	}
	if c.OnlyDuring != "" {
		hours := c.OnlyDuring + ", open now"
		if c.OpensAt != nil {
			hours = c.OnlyDuring + ", opens " + s.opening(*c.OpensAt)
		}
		fact("only during", "%s", term.Clean(hours))
		if c.Paused == nil && c.Held > 0 {
			fact("held", "%s", thousands(c.Held))
		}
	}
}
