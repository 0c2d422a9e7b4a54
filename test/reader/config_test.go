package reader

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"hookgate/internal/yamlnode"
	"hookgate/test/lab"
)

const (
	adminPassword = "reader-0123456789"
	signingSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // the example of Standard Webhooks
	// passwordHash is of adminPassword, as `hookgate passwd` makes it.
	passwordHash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)

var variable = regexp.MustCompile(`\$\{([A-Z][A-Z0-9_]*)`)

// value is what the environment has under a name.
func (s *session) value(name string) string {
	switch {
	case name == "AMQP_URL":
		return "amqps://broker.example"
	case name == "DATABASE_URL":
		return "postgres://hookgate:secret@db.internal:5432/hookgate"
	case name == "HOOKGATE_ADMIN_PASSWORD":
		return adminPassword
	case strings.HasSuffix(name, "_HASH"):
		return passwordHash
	case strings.HasSuffix(name, "_URL"):
		return s.sink.URL + "/" + strings.ToLower(name)
	case strings.HasSuffix(name, "_HOST"):
		return "api.billing.example"
	}
	return signingSecret
}

// named are the sections whose entries have names.
var named = []string{"sources", "forms", "connections", "tables", "calendars"}

// grown is a configuration with what a page adds to it: sections grow, entries of
// a name are replaced, and so is the storage.
func grown(whole, more any, entries bool) any {
	switch more := more.(type) {
	case map[string]any:
		if entries {
			m, _ := whole.(map[string]any)
			if m == nil {
				return more
			}
			maps.Copy(m, more)
			return m
		}
		m, ok := whole.(map[string]any)
		if !ok {
			return more
		}
		for key, value := range more {
			if key == "storage" {
				m[key] = value
				continue
			}
			m[key] = grown(m[key], value, slices.Contains(named, key))
		}
		return m
	case []any:
		list, ok := whole.([]any)
		if !ok {
			return more
		}
		for _, item := range more {
			one, named := item.(map[string]any)
			same := slices.IndexFunc(list, func(x any) bool { have, ok := x.(map[string]any); return ok && named && have["name"] == one["name"] })
			if same >= 0 {
				list[same] = item
				continue
			}
			list = append(list, item)
		}
		return list
	}
	return more
}

// configure adds a block to the configuration, as a reader does who goes on with
// the page: it must be valid and its tests pass, and a server that runs loads it.
// On a page that begins no configuration of its own it is added to the agency's,
// beside the one that the agency's server has.
func (s *session) configure(b *block) {
	s.t.Helper()
	node, faults := yamlnode.Parse(b.String(), []byte(b.text()))
	if faults.Err() != nil {
		s.t.Fatalf("%s: %v", b, faults)
	}
	name := "config.yaml"
	if !s.alone {
		s.prepare()
		name = "page.yaml"
	}
	if s.config == nil && !s.alone {
		s.config = s.agency()
	}
	s.config = grown(s.config, node.Any(), false)
	if b.notes["rules"] == "new" {
		config := clone(s.t, s.config)
		delete(config, "rules")
		s.config = grown(config, node.Any(), false)
	}
	if version, _ := node.Any().(map[string]any); version["version"] != nil {
		s.config = node.Any() // it begins anew
	}
	s.write(name, s.config)
	s.must(b.String(), "hookgate check --quiet -c "+name)
	s.must(b.String(), "hookgate test -c "+name)
	if s.alone && s.serves() {
		s.must(b.String(), "hookgate reload")
	}
}

func (s *session) serves() bool {
	return slices.ContainsFunc(s.running, func(p *process) bool { return strings.HasSuffix(p.line, "serve") })
}

// write writes a configuration for this machine: it listens on the session's
// port, keeps its data in the reader's folder, and no receiver is another than the
// sink. What it asks the environment for, and .env does not have yet, is added
// there.
func (s *session) write(name string, config any) {
	s.t.Helper()
	local := clone(s.t, config)
	section(local, "server")["listen"] = fmt.Sprintf("127.0.0.1:%d", s.port)
	storage := section(local, "storage")
	if storage["url"] == nil {
		storage["path"] = "hookgate.db"
	} else {
		storage["files"] = "files"
	}
	section(local, "outbound")["allow_private"] = []any{"127.0.0.0/8"}
	for _, name := range names(section(local, "connections")) {
		connection, _ := section(local, "connections")[name].(map[string]any)
		s.redirect(connection)
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	must(s.t, enc.Encode(local))
	s.environment(text.String())
	s.save(filepath.Join(s.dir, name), text.String())
}

func (s *session) redirect(connection map[string]any) {
	for _, key := range []string{"url", "webhook_url"} {
		text, _ := connection[key].(string)
		if u, err := url.Parse(text); err == nil && strings.HasPrefix(u.Scheme, "http") {
			connection[key] = s.sink.URL + u.Path
		}
	}
	if connection["type"] == "slack" && connection["bot_token"] != nil {
		connection["api_url"] = s.sink.URL + "/api/"
	}
}

// environment adds to .env what a configuration asks for.
func (s *session) environment(text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, ".env")
	have, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile("(?m)^" + m[1] + "=").Match(have) {
			have = fmt.Appendf(have, "%s='%s'\n", m[1], s.value(m[1]))
		}
	}
	s.save(path, string(have))
}

// agency is the configuration that pages speak of which begin none of their own:
// that of the repository with more senders and receivers, without its tests.
func (s *session) agency() any {
	s.t.Helper()
	config := s.parse("config.yaml")
	delete(config.(map[string]any), "tests")
	more, err := os.ReadFile("testdata/agency.yaml")
	must(s.t, err)
	node, faults := yamlnode.Parse("testdata/agency.yaml", more)
	must(s.t, faults.Err())
	return grown(config, node.Any(), false)
}

func (s *session) parse(path string) any {
	s.t.Helper()
	node, faults := yamlnode.Parse(path, []byte(readFile(s.t, path)))
	must(s.t, faults.Err())
	return node.Any()
}

// prepare makes the agency's folder: its configuration, another one to compare it
// with, and the files that they name.
func (s *session) prepare() {
	s.t.Helper()
	if s.prepared {
		return
	}
	s.prepared = true
	for _, name := range []string{"holidays.txt", "disposable.txt", "nats.creds", "tables/managers.csv"} {
		text, err := os.ReadFile(filepath.Join("testdata", filepath.Base(name)))
		must(s.t, err)
		s.save(filepath.Join(s.dir, name), string(text))
	}
	s.save(filepath.Join(s.dir, "fixtures", "website_status_changed.json"), string(lab.Fixture(s.t, "sitejet/website_status_changed.json")))
	config := s.agency()
	s.write("config.yaml", config)
	other := clone(s.t, config)
	other["rules"] = slices.DeleteFunc(other["rules"].([]any), func(r any) bool { return r.(map[string]any)["name"] == "activate-subscription" })
	s.write("other.yaml", other)
}

// begin starts the agency's server, for a page about one that runs, and gives it
// something to show.
func (s *session) begin() {
	s.t.Helper()
	if s.serves() {
		return
	}
	s.prepare()
	s.sink.Script(func(a lab.Arrival) lab.Answer {
		if strings.HasPrefix(a.Path, "/v1/subscriptions") {
			return lab.Answer{Status: 422, Body: "the plan does not exist"}
		}
		return lab.Answer{Body: `{"ok":true}`}
	})
	const at = "the agency's history"
	config := clone(s.t, s.agency())
	config["rules"] = []any{}
	s.write("config.yaml", config)
	s.start(at, "hookgate serve", staying["hookgate serve"])
	s.must(at, "hookgate events send sitejet --sample") // from before there were rules
	s.write("config.yaml", s.agency())
	s.must(at, "hookgate reload")
	s.must(at, "hookgate events send sitejet --sample")
	s.must(at, "hookgate events send shop --sample")
	s.must(at, "hookgate events send contact --sample --set email=ada@example.com")
	s.must(at, fmt.Sprintf(`curl -sS -H 'Accept: application/json' -F name=Bot -F email=bot@example.com -F message=Hi -F consent=on -F _gotcha=x http://127.0.0.1:%d/f/contact`, s.port))
	if !lab.Within(patience, func() bool {
		return strings.Contains(s.must(at, "hookgate deliveries list --state failed --json"), "dlv_")
	}) {
		s.t.Fatal("no delivery has failed")
	}
}
