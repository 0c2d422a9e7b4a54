package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/cli/initial"
	"hookgate/app/cli/term"
	"hookgate/app/config"
	"hookgate/app/ruletest"
	"hookgate/connectors/all"
	"hookgate/internal/diag"
)

// initFlags are those of init.
type initFlags struct{ sender, publicURL string }

func newInit(s *session) *cobra.Command {
	var flags initFlags
	c := &cobra.Command{
		Use: "init [FOLDER]", GroupID: groupStart, Short: "Make a first config that works as it stands",
		Long: `Make a first config: config.yaml with a source or form, a rule and a test of it,
.env with made secrets, and the JSON Schema by which editors complete the config.
On a terminal it asks a few questions; --yes takes the usual answers, and those of
the flags. It writes into FOLDER (else here, or where -c says) and overwrites
nothing. What it writes passes hookgate check and hookgate test as it is.`,
		Example: `  hookgate init
  hookgate init --for github --yes hooks`,
		Args: upTo(1, "a folder"),
		RunE: func(cmd *cobra.Command, args []string) error { return s.init(cmd.Context(), args, &flags) },
	}
	c.Flags().StringVar(&flags.sender, "for", "", "what sends: `sender` is form for a form of your website, or one that samples list names (else sitejet)")
	c.Flags().StringVar(&flags.publicURL, "public-url", "", "the `URL` under which the world reaches it, https://…")
	_ = c.RegisterFlagCompletionFunc("for", cobra.FixedCompletions(initial.Senders(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

// begun is what `init --json` prints.
type begun struct {
	Config string `json:"config"`
	Env    string `json:"env"`
	Schema string `json:"schema"`
	Name   string `json:"name"` // of the source or form
	URL    string `json:"url"`  // to paste at the sender
	Where  string `json:"where"`
	// Reach says what is known of whether the sender can reach the URL.
	Reach reach    `json:"reach"`
	Next  []string `json:"next"`
}

func (s *session) init(ctx context.Context, args []string, flags *initFlags) error {
	path := s.file
	if len(args) == 1 {
		if s.file != "" {
			return usageError("", errors.New("give a folder or --config, not both"))
		}
		path = filepath.Join(args[0], "config.yaml")
	}
	if path == "" {
		path = "config.yaml"
	}
	out := begun{Config: path, Env: filepath.Join(filepath.Dir(path), ".env"), Schema: filepath.Join(filepath.Dir(path), "config.schema.json")}
	for _, file := range []string{out.Config, out.Env, out.Schema} {
		if _, err := os.Lstat(file); err == nil {
			return &failure{code: exitFailed, err: fmt.Errorf("%s is there already: nothing was changed", file), hint: "name another folder: hookgate init FOLDER"}
		}
	}
	opt, err := s.initOptions(flags)
	if err != nil {
		return err
	}
	opt.Storage = storageFor(path)
	files, err := initial.Make(opt)
	if err != nil {
		return err
	}
	schema, err := app.Schema(all.Kinds())
	if err != nil {
		return err
	}
	if err := writeNew(map[string]string{out.Config: files.Config, out.Env: files.Env, out.Schema: string(schema)}); err != nil {
		return &failure{code: exitFailed, err: err}
	}
	return s.begin(ctx, &out, &files)
}

// storageFor is where the database of a new config goes: beside it, but for the
// config of a package, which lies where nothing else is written.
func storageFor(config string) string {
	if absolute, err := filepath.Abs(config); err == nil && filepath.Dir(absolute) == "/etc/hookgate" {
		return "/var/lib/hookgate/hookgate.db"
	}
	return "hookgate.db"
}

// writeNew writes files that there are not yet, readable by their owner alone.
// Where one of them cannot be written, none stays.
func writeNew(files map[string]string) (err error) {
	var written []string
	defer func() {
		if err != nil {
			for _, path := range written {
				_ = os.Remove(path)
			}
		}
	}()
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a folder as mkdir makes it
			return err
		}
		file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the caller's own choice
		if err != nil {
			return err
		}
		written = append(written, path)
		_, err = io.WriteString(file, text)
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// initOptions asks what the flags do not say.
func (s *session) initOptions(flags *initFlags) (opt initial.Options, err error) {
	opt = initial.Options{Sender: flags.sender, PublicURL: strings.TrimRight(flags.publicURL, "/"), Timezone: localZone(s.env)}
	if flags.sender != "" {
		if message := unknownSender(flags.sender); message != "" {
			return opt, usageError(message, fmt.Errorf("--for: nothing is known of %q", flags.sender))
		}
	}
	if opt.PublicURL != "" {
		if message := badPublicURL(opt.PublicURL); message != "" {
			return opt, usageError("", fmt.Errorf("--public-url: %s", message))
		}
	}
	if s.yes {
		if opt.Sender == "" {
			opt.Sender = initial.Senders()[0]
		}
		return opt, nil
	}
	if !s.interactive() {
		return opt, usageError("", errors.New("there is no terminal to ask on: add --yes, and --for SENDER"))
	}
	if opt.Sender == "" {
		s.msg.Println("What sends? sitejet, form (of your own website), github, stripe, shopify, webhook (any other),")
		s.msg.Println("or a form builder such as typeform; hookgate samples list has them all.")
		if opt.Sender, err = s.ask("Sender", initial.Senders()[0], unknownSender); err != nil {
			return opt, err
		}
	}
	if opt.PublicURL == "" {
		s.msg.Println("Under which URL will the world reach it, https://…? Leave it empty if there is none yet.")
		if opt.PublicURL, err = s.ask("Public URL", "", badPublicURL); err != nil {
			return opt, err
		}
		opt.PublicURL = strings.TrimRight(opt.PublicURL, "/")
	}
	s.msg.Println("The URL of an incoming webhook of Slack, https://hooks.slack.com/…? Leave it empty to begin with")
	s.msg.Println("hookgate's own log.")
	opt.SlackURL, err = s.ask("Slack", "", badSlackURL)
	return opt, err
}

func unknownSender(name string) string {
	if slices.Contains(initial.Senders(), name) {
		return ""
	}
	if hint := diag.DidYouMean(name, initial.Senders()); hint != "" {
		return hint
	}
	return "webhook takes any sender; there are " + strings.Join(initial.Senders(), ", ")
}

func badPublicURL(text string) string {
	u, err := url.Parse(text)
	if text == "" || err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" &&
		!strings.ContainsAny(text, " \"'#") {
		return ""
	}
	return "write it like https://hooks.agency.example"
}

func badSlackURL(text string) string {
	u, err := url.Parse(text)
	if text == "" || err == nil && u.Scheme == "https" && u.Hostname() != "" && !strings.ContainsAny(text, " \"'$#\\") {
		return ""
	}
	return "it begins with https://hooks.slack.com/"
}

// localZone is the time zone of this machine by its name, UTC where it has none.
func localZone(env config.LookupFunc) string {
	candidates := []string{}
	if name, _ := env("TZ"); name != "" {
		candidates = append(candidates, strings.TrimPrefix(name, ":"))
	}
	if target, err := os.Readlink("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(target, "zoneinfo/"); ok {
			candidates = append(candidates, name)
		}
	}
	for _, name := range candidates {
		if _, err := time.LoadLocation(name); err == nil && !strings.ContainsAny(name, " #:") {
			return name
		}
	}
	return "UTC"
}

// begin checks what was written, and says how to go on.
func (s *session) begin(ctx context.Context, out *begun, files *initial.Files) error {
	loaded, report, err := app.Load(out.Config)
	if err != nil && report != nil {
		return s.configFailure(report)
	} else if err != nil {
		return &failure{code: exitConfig, err: err}
	}
	results := loaded.RunTests(s.now, nil, nil)
	if failed := ruletest.Failed(results); len(failed) > 0 {
		return &failure{code: exitFailed, err: fmt.Errorf("%s: the test %q fails", out.Config, failed[0].Name)}
	}
	for _, in := range inbounds(loaded.Config) {
		out.Name, out.URL = in.name, in.whole()
	}
	out.Where = files.Where
	out.Reach = reachable(ctx, loaded.Config.Server.PublicURL)
	option := ""
	if found, err := config.Find("", s.env); err != nil || !sameFile(found, out.Config) {
		option = " -c " + quoted(out.Config)
	}
	out.Next = []string{
		"hookgate serve" + option,
		"hookgate events send " + out.Name + " --sample" + option,
		"hookgate events list" + option,
	}
	if s.json {
		return s.printJSON(out)
	}
	tick := s.out.Good.Render("✓")
	s.out.Println(tick, out.Config+"  a "+map[bool]string{true: "form", false: "source"}[files.Form]+", a rule, and "+plural(len(results), "test")+" that "+map[bool]string{true: "passes", false: "pass"}[len(results) == 1])
	s.out.Println(tick, out.Env+"  its secrets, readable by you alone")
	s.out.Println(tick, out.Schema+"  by which editors complete it")
	s.out.Printf("\nThe URL for %s:\n\n  %s\n\n%s\n", files.Where, out.URL, term.Indent(out.Reach.Text, ""))
	s.out.Printf("\n%s\n\n", s.out.Strong.Render("Next, the second and third in another terminal:"))
	for _, command := range out.Next {
		s.out.Println("  " + command)
	}
	return nil
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	y, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(x, y)
}

// quoted is a path as a shell takes it.
func quoted(path string) string {
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+@") == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// reach is what can be known from here of whether others reach a URL.
type reach struct {
	Public bool   `json:"public"` // nothing speaks against it
	Text   string `json:"text"`
}

// resolveTime is how long a name may take to be resolved.
const resolveTime = 3 * time.Second

// reachable judges the server's public URL by its name and addresses. Nothing
// is connected to.
func reachable(ctx context.Context, publicURL string) reach {
	if publicURL == "" {
		return reach{Text: "It is an address of this machine, which a sender elsewhere does not reach. Put a web server\nthat does TLS in front of it, and say under server.public_url what the world calls it."}
	}
	u, err := url.Parse(publicURL)
	if err != nil {
		return reach{Text: "server.public_url is no URL."}
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil || len(addresses) == 0 {
		return reach{Text: u.Hostname() + " does not resolve here: a sender cannot reach it before its name is in the DNS."}
	}
	for _, a := range addresses {
		if a = a.Unmap(); !public(a) {
			return reach{Text: u.Hostname() + " is " + a.String() + ", which is no public address: a sender elsewhere does not reach it."}
		}
	}
	text := u.Hostname() + " is " + addresses[0].Unmap().String() + ": a sender reaches it where a web server there passes requests on to hookgate."
	if u.Scheme != "https" {
		text += "\nIt is http: what is sent can be read on its way, the secret in the URL too. Use https."
	}
	return reach{Public: true, Text: text}
}

func public(a netip.Addr) bool {
	shared := netip.MustParsePrefix("100.64.0.0/10") // RFC 6598, behind a carrier's NAT
	return a.IsGlobalUnicast() && !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !shared.Contains(a)
}
