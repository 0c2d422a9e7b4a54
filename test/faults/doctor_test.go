package faults

import (
	"database/sql"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3"

	"hookgate/db"
	"hookgate/internal/event"
	"hookgate/test/fakeoidc"
	"hookgate/test/lab"
)

// healthy is a configuration in which doctor finds nothing but what public_url
// is in these tests: http, and an address of this machine.
const healthy = `
sources: { in: { type: webhook, token: ` + token + ` } }
connections: { log: { type: log } }
rules: [{ name: tell, from: in, then: [{ to: log, text: hi }] }]
tests: [{ name: it is told, event: { source: in, data: {} }, expect: [tell/log] }]
`

// TestDoctor plants faults, one at a time, and wants each to be found, with its
// remedy. Negative control: the gate without a fault, in which none is found.
func TestDoctor(t *testing.T) {
	faults := map[string]struct {
		config string // in place of healthy
		plant  func(t *testing.T, g *lab.Gate)
		what   string
		remedy string
	}{
		"nothing": {},
		"a key that there is not": {
			config: healthy + "rulez: []\n", what: `no key "rulez"`, remedy: `did you mean "rules"?`,
		},
		"a test fails": {
			config: strings.Replace(healthy, "[tell/log]", "[]", 1), what: `the test "it is told" fails`, remedy: "hookgate test shows",
		},
		"secrets that all can read": {plant: func(t *testing.T, g *lab.Gate) {
			write(t, filepath.Join(g.Dir, ".env"), "A=b\n", 0o644)
		}, what: "every user of this machine can read this file", remedy: "chmod o="},
		"no server": {plant: func(_ *testing.T, g *lab.Gate) { g.Stop() }, what: "no server answers", remedy: "hookgate serve starts it"},
		"the config was refused": {plant: func(_ *testing.T, g *lab.Gate) {
			g.Configure(healthy + "rulez: []\n")
			g.CLI("reload")
		}, what: "the config was refused", remedy: "hookgate reload"},
		"a receiver fails": {config: ordersTo("http://127.0.0.1:1/"), plant: func(t *testing.T, g *lab.Gate) {
			g.Accepted(g.PostJSON(inPath, []byte(`{}`)))
			lab.Eventually(t, "the attempt failed", func() bool { return strings.Contains(g.CLI("status").Stdout, "orders  ▲") })
		}, what: "the connection orders is failing", remedy: "hookgate connections test orders"},
		"a receiver that nobody listens for": {config: ordersTo("http://127.0.0.1:1/"), what: "does not reach 127.0.0.1:1", remedy: "nothing listens there"},
		"a receiver without a name":          {config: ordersTo("https://receiver.invalid/hook"), what: "receiver.invalid:443 is not known to the DNS", remedy: "look at the spelling"},
		"a receiver that is refused":         {config: ordersTo("http://10.255.255.1/"), what: "10.255.255.1", remedy: "outbound.allow_private"},
		"a database that all can read": {plant: func(t *testing.T, g *lab.Gate) {
			check(t, os.Chmod(g.Storage, 0o644))
		}, what: "can read the database", remedy: "chmod o="},
		"a damaged database": {plant: func(t *testing.T, g *lab.Gate) {
			g.Stop()
			content, err := os.ReadFile(g.Storage)
			check(t, err)
			check(t, os.WriteFile(g.Storage, content[:len(content)/2], 0o600))
		}, what: "the database is damaged", remedy: "hookgate restore FILE"},
		"a newer database": {plant: func(t *testing.T, g *lab.Gate) {
			g.Stop()
			execute(t, g, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
		}, what: "by a newer version", remedy: "install that version"},
		"a large log": {plant: func(t *testing.T, g *lab.Gate) {
			g.Stop()
			f, err := os.Create(g.Storage + "-wal")
			check(t, err)
			check(t, f.Truncate(1<<30))
			check(t, f.Close())
		}, what: "the log of the database has 1024 MB", remedy: "start the server"},
		"a clock that was ahead": {plant: func(t *testing.T, g *lab.Gate) {
			g.Stop()
			ahead := time.Now().Add(48 * time.Hour)
			s, err := db.Open(t.Context(), g.Storage, db.Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return ahead }})
			check(t, err)
			_, err = s.Accept(&event.Event{ID: s.NewIDs(1), Source: "in", ReceivedAt: ahead, State: event.NoMatch}, nil)
			check(t, err)
			check(t, s.Close())
		}, what: "ahead of this machine's clock", remedy: "timedatectl"},
		"uploads are gone": {config: uploading("http://127.0.0.1:1"), plant: func(t *testing.T, g *lab.Gate) {
			if postUpload(t.Context(), t, g, 1) == "" {
				t.Fatal("no upload")
			}
			check(t, os.RemoveAll(g.Storage+".files"))
		}, what: "of 1 uploads 1 are not in", remedy: "restore the last backup"},
		"a full disk": {plant: func(t *testing.T, g *lab.Gate) {
			moveTo(t, g, "size=8m")
		}, what: "the disk of", remedy: "make room"},
		"no more files": {plant: func(t *testing.T, g *lab.Gate) {
			moveTo(t, g, "size=8m,nr_inodes=40")
		}, what: "more files only (inodes)", remedy: "more inodes"},
		"something else answers": {plant: func(t *testing.T, g *lab.Gate) {
			g.Stop()
			address := g.Addr
			l, err := net.Listen("tcp", address)
			check(t, err)
			t.Cleanup(func() { _ = l.Close() })
			go func() { _ = http.Serve(l, http.NotFoundHandler()) }()
		}, what: "answers 404 Not Found to /healthz", remedy: "does it pass requests on"},
		"a provider that does not answer": {plant: func(t *testing.T, g *lab.Gate) {
			p := fakeoidc.Start(t)
			p.Down = true
			g.Extra = "  admin: { oidc: { issuer: \"" + p.Issuer + "\", client_id: a, client_secret: b, domains: [agency.example] } }\n"
			g.Configure(healthy)
		}, what: "server.admin.oidc does not answer as it should: 502", remedy: "by hookgate login"},
		"nobody keeps to https": {what: "server.public_url is http", remedy: "does TLS"},
	}
	if len(faults) < 16 {
		t.Fatal("fifteen faults are promised")
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := f.config
			if config == "" {
				config = healthy
			}
			g := lab.New(t, healthy)
			if !strings.Contains(config, "rulez") && !strings.Contains(config, "expect: []") {
				g.Configure(config)
			}
			g.Start()
			g.Configure(config)
			g.CLI("reload")
			if f.plant != nil {
				f.plant(t, g)
			}
			r := g.CLI("doctor")
			if !strings.Contains(r.Stdout, "things were looked at") {
				t.Fatalf("%+v", r)
			}
			if f.what == "" { // the address of the test is one of this machine, and http
				n := strings.Count(r.Stdout, "✗ ") - strings.Count(r.Stdout, "✗ disk") // that of this machine may be full
				if n != 2 || strings.Count(r.Stdout, "✗ public_url") != 2 {
					t.Errorf("found without a fault:\n%s", r.Stdout)
				}
				return
			}
			_, found, ok := strings.Cut(r.Stdout, f.what)
			found, _, _ = strings.Cut(found, "\n✗")
			if r.Code != 1 || !ok || !strings.Contains(found, f.remedy) {
				t.Errorf("status %d; %q with %q is not in\n%s%s", r.Code, f.what, f.remedy, r.Stdout, r.Stderr)
			}
		})
	}
}

// ordersTo is healthy with a second connection.
func ordersTo(url string) string {
	s := strings.Replace(healthy, "log: { type: log }", `log: { type: log }, orders: { type: webhook, url: "`+url+`", retry: `+quick()+` }`, 1)
	s = strings.Replace(s, "{ to: log, text: hi }", "{ to: log, text: hi }, { to: orders, json: {} }", 1)
	return strings.Replace(s, "[tell/log]", "[tell/log, tell/orders]", 1)
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(text), mode))
}

func execute(t *testing.T, g *lab.Gate, statement string) {
	t.Helper()
	conn, err := sql.Open("sqlite3", g.Storage)
	check(t, err)
	_, err = conn.Exec(statement)
	check(t, err)
	check(t, conn.Close())
}

// moveTo has the gate keep its data on a small disk of its own.
func moveTo(t *testing.T, g *lab.Gate, options string) {
	t.Helper()
	if os.Geteuid() != 0 {
		lab.Skip(t, "a tmpfs can be mounted by root only")
	}
	g.Stop()
	disk := filepath.Join(g.Dir, "disk")
	check(t, os.Mkdir(disk, 0o700))
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, options); err != nil {
		lab.Skip(t, "tmpfs: "+err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	g.Storage = filepath.Join(disk, "hookgate.db")
	g.Configure(healthy)
	g.Start()
}
