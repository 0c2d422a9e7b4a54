package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/app/deliver"
	"hookgate/app/ingest"
	"hookgate/app/ingest/source"
	"hookgate/app/ruletest"
	"hookgate/connectors"
	"hookgate/db"
	"hookgate/forms"
	"hookgate/internal/body"
	"hookgate/internal/calendar"
	"hookgate/internal/diag"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
	"hookgate/rules"
	"hookgate/rules/lang"
)

// Plan is a configuration compiled: what takes events in, what judges them and
// where they go. It never changes; the one in force stands behind one atomic
// pointer, and a reload makes another.
type Plan struct {
	// Plan is the part that decides what becomes of a request. Its ID and its
	// folder for files are there from when the plan comes into force.
	ingest.Plan
	Config *config.Config
	Tests  []*ruletest.Test
	// Findings are what check says of it that refuses nothing.
	Findings diag.List
	// Kinds are the kinds of connections there are: those that come with
	// hookgate, and those of the configuration's recipes.
	Kinds       *connectors.Catalog
	connections []kindOf
	origins     rules.Origins
	compiler    *lang.Compiler
	words       map[string]lang.Words // by form
	parts       config.Parts

	// What follows is there from when the plan comes into force.
	client    *egress.Client
	operators admin.InForce
}

// kindOf is a connection with the connector that its type names.
type kindOf struct {
	config.Connection
	kind  connectors.Kind
	hours *calendar.Calendar // outside of which it is closed; nil: it never is
}

// Load reads and compiles the configuration at path and reports every fault in
// it. With an error among them there is no Plan.
func Load(path string) (*Plan, *config.Report, error) {
	doc, report := config.Load(path, config.LookupEnv)
	return check(doc, report, nil)
}

// LoadRules is Load for who only judges by the rules: values of the
// environment may be missing, as they do where a change of the configuration
// is reviewed.
func LoadRules(path string) (*Plan, *config.Report, error) {
	doc, report := config.Load(path, config.LookupEnv)
	return compileRules(doc, report)
}

// compileRules is compile for who only looks at the rules.
func compileRules(doc *config.Config, report *config.Report) (*Plan, *config.Report, error) {
	if doc == nil {
		return nil, report, report.Err()
	}
	l := compile(doc, report)
	rest := slices.DeleteFunc(slices.Clone(report.List), func(d diag.Diagnostic) bool { return d.Code == "env-missing" })
	if err := rest.Err(); err != nil {
		return nil, report, err
	}
	l.withoutSecrets()
	return l, report, nil
}

// withoutSecrets has a source for each that has faults, which takes nothing in: without
// its secrets, what comes of it can be told all the same.
func (l *Plan) withoutSecrets() {
	for _, e := range l.Config.Sources {
		if l.Sources[e.Name.Value] == nil {
			l.Sources[e.Name.Value] = source.WithoutSecrets(e.Name, e.Node, l.compiler)
		}
	}
	for name, f := range l.Forms {
		if f.Webhook() && l.Senders[name] == nil {
			l.Senders[name] = source.WithoutSecrets(yamlnode.Plain(name), yamlnode.Node{}, l.compiler)
		}
	}
}

// compile compiles a document that was read. With an error in the report, what
// comes of it serves for no more than to find further faults.
func compile(doc *config.Config, report *config.Report) *Plan {
	limits := body.DefaultLimits()
	limits.Size = int64(doc.Server.MaxBody)
	l := &Plan{Config: doc, parts: report.Parts, Plan: ingest.Plan{
		RuleSet: ingest.RuleSet{Hash: doc.Hash, Location: doc.Server.Location}, Limits: limits,
		Sources: map[string]*source.Source{}, Forms: map[string]*forms.Form{}, Senders: map[string]*source.Source{},
	}}
	l.compiler = lang.NewCompiler()
	l.compiler.SetPlace(doc.Server.Location, doc.Server.Lang)
	l.compiler.SetTables(tablesOf(doc))
	l.compiler.SetCalendars(doc.CalendarsByName())
	l.origins = l.loadOrigins(l.compiler, report)
	l.words = map[string]lang.Words{}
	for name, form := range l.Forms {
		l.words[name] = form.Words()
	}
	l.compiler.SetWords(l.words)
	targets := l.connect(report)
	set, list := rules.Compile(l.compiler, doc.Rules, l.origins, targets)
	report.Add(list)
	report.Add(reservedNames(doc))
	report.Add(l.autoreplies(l.compiler, targets))
	report.Add(withoutAddress(doc, l.compiler))
	report.Add(badURL(doc.Storage, report.List))
	l.Rules = set
	l.Tests, list = ruletest.Compile(doc.Tests, l.compiler, set, l.Autoreplies, l.origins)
	report.Add(list)
	return l
}

// reservedNames refuses names that stand in lists of deliveries for what hookgate does
// itself: a rule's for forms' own replies, a connection's for what rules remember.
func reservedNames(doc *config.Config) diag.List {
	var faults diag.List
	for i := range doc.Rules {
		if name := doc.Rules[i].Name; name.Value == event.AutoreplyRule {
			faults = append(faults, name.Diag("reserved-name", "choose another name", "%q is what deliveries of forms' own replies are called", name.Value))
		}
	}
	for i := range doc.Connections {
		if name := doc.Connections[i].Name; name.Value == rules.RememberName {
			faults = append(faults, name.Diag("reserved-name", "rename it, here and in the rules that send to it", "%q is what deliveries of records that rules write are called", name.Value))
		}
	}
	return faults
}

// loadOrigins compiles the sources and forms.
func (l *Plan) loadOrigins(compiler *lang.Compiler, report *config.Report) rules.Origins {
	own := source.Own(compiler)
	l.Sources[own.Name] = own
	origins := rules.Origins{own.Name: own.EventTypes()}
	for _, e := range l.Config.Sources {
		s, list := source.Compile(e.Name, e.Node, compiler)
		report.Add(list)
		if s == nil { // what its type says of its events is so all the same
			origins[e.Name.Value] = source.WithoutSecrets(e.Name, e.Node, compiler).EventTypes()
			continue
		}
		l.Sources[s.Name] = s
		origins[s.Name] = s.EventTypes()
		report.Add(withoutPublicURL(l.Config, s, e))
	}
	for _, e := range l.Config.Forms {
		origins[e.Name.Value] = []string{event.FormSubmitted}
		report.Add(l.form(e, compiler))
	}
	return origins
}

// connect compiles the connections, and says what actions to them may hold.
func (l *Plan) connect(report *config.Report) rules.Targets {
	targets := rules.Targets{}
	client := egress.New(egress.Config{AllowPrivate: l.Config.Outbound.AllowPrivate})
	defer client.Close()
	l.Kinds = Kinds(l.Config, report)
	for _, c := range l.Config.Connections {
		kind, list := l.kindNamed(c)
		if kind != nil {
			_, faults := kind.New(c.Node, connectors.Deps{Egress: client, Timeout: c.Timeout})
			list = append(list, faults...)
			hours, unknown := l.hours(c)
			list = append(list, unknown...)
			l.connections = append(l.connections, kindOf{Connection: c, kind: *kind, hours: hours})
			targets[c.Name.Value] = kind.ActionFor(c.Node)
		} else {
			targets[c.Name.Value] = lang.Action{}
		}
		report.Add(list)
	}
	return targets
}

// hours is the calendar that a connection keeps to; nil: it has none.
func (l *Plan) hours(c config.Connection) (*calendar.Calendar, diag.List) {
	if c.OnlyDuring.IsZero() {
		return nil, nil
	}
	return l.compiler.Calendar(c.OnlyDuring)
}

// form compiles a form, and who posts to it where no visitor does.
func (l *Plan) form(e config.Entry, compiler *lang.Compiler) diag.List {
	f, list := forms.Compile(e.Name, e.Node)
	hooked, ids := !e.Node.Get("verify").IsZero(), source.IDs{}
	if f != nil {
		list = append(list, withoutFolder(l.Config, f, e)...)
		l.Forms[f.Name] = f
		hooked = hooked || f.Webhook()
		ids.Expression, ids.Subject = f.EventID()
	}
	if !hooked {
		return list
	}
	src, faults := source.CompileForm(e.Name, e.Node, ids, compiler)
	if src != nil {
		l.Senders[src.Name] = src
	}
	return append(list, faults...)
}

// badURL is the error that the database's driver cannot read its address. What
// the driver says of it may hold the password.
func badURL(s config.Storage, known diag.List) diag.List {
	url := s.Node.Get("url")
	if s.URL.IsZero() || db.CheckURL(s.URL) == nil || slices.ContainsFunc(known, func(d diag.Diagnostic) bool { return d.Severity == diag.Error && d.Path == url.Path() }) {
		return nil
	}
	return diag.List{url.Diag("bad-url", db.Remedy(db.ErrBadURL), `"url" cannot be read as the address of a PostgreSQL database`)}
}

// withoutAddress are the errors that links are wanted to a server whose
// address is not known.
func withoutAddress(doc *config.Config, compiler *lang.Compiler) diag.List {
	if doc.Server.PublicURL != "" {
		return nil
	}
	return compiler.FileURLs("no-public-url", "set server.public_url to the address that people reach hookgate at",
		"file_url makes links to this server, whose address is not known")
}

// withoutPublicURL warns of a source whose sender signs the address that it
// calls where the configuration does not say what that is.
func withoutPublicURL(doc *config.Config, s *source.Source, e config.Entry) diag.List {
	if doc.Server.PublicURL != "" || !s.SignsURL() {
		return nil
	}
	warning := e.Node.Get("verify").Diag("no-public-url", "set server.public_url to the address that it calls",
		"this sender signs the address that it calls, which is not known")
	warning.Severity = diag.Warning
	return diag.List{warning}
}

// deliver makes the connections as delivery takes them, to send by client.
func (l *Plan) deliver(client *egress.Client, files connectors.Files, store *db.Store, opt Options) ([]deliver.Connection, error) {
	list := make([]deliver.Connection, 0, len(l.connections))
	for _, c := range l.connections {
		connector, faults := c.kind.New(c.Node, connectors.Deps{
			Egress: client, Logger: opt.Logger, Now: opt.Now, Version: opt.Version, Timeout: c.Timeout, Files: files,
			Memory: memory{store, c.Name.Value},
		})
		if err := faults.Err(); err != nil {
			return nil, fmt.Errorf("connection %s: %w", c.Name.Value, err)
		}
		print, err := l.fingerprint(c)
		if err != nil {
			return nil, err
		}
		list = append(list, deliver.Connection{
			Name: c.Name.Value, Connector: connector, Concurrency: c.Concurrency, Rate: c.rate(),
			Policy: policy(c.Retry), Fingerprint: print, Timeout: c.Timeout,
			Hours: c.hours,
		})
	}
	return list, nil
}

// rate is how often the connection may send: as the configuration says, else
// as the receiver is known to allow.
func (c *kindOf) rate() yamlnode.Rate {
	if c.RateLimit.Count > 0 {
		return c.RateLimit
	}
	return c.kind.RateLimit
}

// policy is the published schedule, or what the connection says instead.
func policy(r config.Retry) deliver.Policy {
	p := deliver.Policy{Delays: deliver.Schedule(), For: r.For}
	if r.Delays != nil {
		p.Delays = r.Delays
	}
	return p
}

// fingerprint is a hash of all that makes the connection work as it does.
func (l *Plan) fingerprint(c kindOf) (string, error) {
	text, err := json.Marshal([]any{c.Node.Any(), l.Config.Outbound.AllowPrivate, c.kind.Hash})
	if err != nil {
		return "", fmt.Errorf("connection %s: %w", c.Name.Value, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// SocketPath is where the server with this configuration offers its API to
// commands on the same machine: beside the database's file, or beside the
// config file where the database is a server's.
func SocketPath(doc *config.Config) string {
	path := doc.Storage.Path + ".sock"
	if !doc.Storage.URL.IsZero() {
		path = doc.Path + ".sock"
	}
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path
}
