package e2e

import (
	"bufio"
	"database/sql"
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"hookgate/internal/event"
	"hookgate/test/lab"
)

// sheet reads CSV that begins with a byte order mark.
func sheet(t *testing.T, text string) [][]string {
	t.Helper()
	plain, bom := strings.CutPrefix(text, "\uFEFF")
	rows, err := csv.NewReader(strings.NewReader(plain)).ReadAll()
	if err != nil || !bom || len(rows) == 0 {
		t.Fatalf("%v, %v: %.300q", err, bom, text)
	}
	return rows
}

// idsIn are the ids of an export, as CSV and as NDJSON, which have the same.
func idsIn(t *testing.T, table, lines string) string {
	t.Helper()
	var rows, objects []string
	for _, row := range sheet(t, table)[1:] {
		rows = append(rows, row[0])
	}
	for line := range strings.Lines(lines) {
		objects = append(objects, fmt.Sprint(at(value(t, []byte(line)), "id")))
	}
	same(t, "the events of NDJSON, beside those of CSV", strings.Join(rows, " "), strings.Join(objects, " "))
	return strings.Join(rows, " ")
}

// An export has the events of its search, no others and all of them, the newest first: by
// the page, by the API and by the command the same. Only NDJSON has what came in, no cell
// is a formula, and whoever may look may have it.
//
// Break: have eventFile.part take an event whatever its query says.
func TestEventsExport(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	send := func(title string) string {
		return g.Settled(g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(strings.Replace(donePayload, "Harry's Diner", title, 1))))).ID
	}
	harry, formula, lines := send("Harry's Diner"), send("=1+1"), send(`two\nlines; \"quoted\"`)
	bad := g.Do("POST", "/in/sitejet/0123456789abcdef", []byte("{bad"), "Content-Type", "application/json")
	same(t, "what cannot be read", http.StatusBadRequest, bad.Status)
	rejected := g.Events("--state", "rejected")[0].ID
	written(t, g, "name", "@SUM(A1)", "message", "Hello")
	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	file := func(query string) string {
		t.Helper()
		code, header, text := vera.do("GET", "/ui/events/export/file?"+query, nil)
		if code != http.StatusOK || !strings.HasPrefix(header.Get("Content-Disposition"), `attachment; filename="events-20`) {
			t.Fatalf("%s: %d %v %.300s", query, code, header, text)
		}
		return text
	}
	for _, c := range []struct {
		query, name string
		flags       []string
		want        []string
	}{
		{"q=source%3Asitejet", "a source", []string{"--source", "sitejet"}, []string{rejected, lines, formula, harry}},
		{"q=source%3Asitejet+state%3Arouted", "a state", []string{"--source", "sitejet", "--state", "routed"}, []string{lines, formula, harry}},
		{"q=source%3Asitejet+HARRY", "a text", []string{"--source", "sitejet", "--text", "HARRY"}, []string{harry}},
		{"q=where%3Adata.website.title+%3D%3D+%22%3D1%2B1%22", "a condition", []string{"--where", `data.website.title == "=1+1"`}, []string{formula}},
		{"q=connection%3Abilling+source%3Asitejet", "a connection", []string{"--connection", "billing", "--source", "sitejet"}, []string{lines, formula, harry}},
		{"q=until%3A1h", "nothing", []string{"--until", "1h"}, nil},
	} {
		table, objects := file(c.query+"&format=csv"), file(c.query+"&format=ndjson")
		same(t, c.name, strings.Join(c.want, " "), idsIn(t, table, objects))
		same(t, c.name+": the command's CSV", table, g.MustCLI(append([]string{"events", "export"}, c.flags...)...))
		same(t, c.name+": the command's NDJSON", objects, g.MustCLI(append([]string{"events", "export", "--format", "ndjson"}, c.flags...)...))
	}
	rows := sheet(t, file("q=source%3Asitejet&format=csv"))
	same(t, "the columns", "id time source type state summary cause duplicate_of rules deliveries", strings.Join(rows[0], " "))
	has(t, "a formula", rows[3][5], "'=1+1")
	same(t, "the rules", "activate", rows[3][8])
	same(t, "the deliveries", "activate/billing: delivered", rows[3][9])
	has(t, "a time in server.timezone", rows[3][1], "+0")
	has(t, "what was rejected", rows[1][6], "invalid JSON")
	if table := file("format=csv"); strings.Contains(table, "321654") || strings.Contains(table, "Hello") {
		t.Errorf("CSV has payloads: %s", table)
	}
	objects := file("q=source%3Asitejet&format=ndjson")
	has(t, "what came in", objects, `"data":{"previousStatus":"Publish","website":{"id":321654,"title":"=1+1","status":"Done"}}`, `"body":"{bad"`, `"rules":[{"rule":"activate","result":"match"}`)
	has(t, "semicolons", file("format=csv%3B"), "id;time;source")
	has(t, "the log", g.Stderr(), `"audit":"events exported"`, `"by":"vera"`)

	out := filepath.Join(g.Dir, "out.csv")
	if got := g.CLI("events", "export", "--source", "sitejet", "--out", out); got.Code != 0 || !strings.Contains(got.Stderr, "4 events written to ") {
		t.Errorf("to a file: %+v", got)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the file", 5, len(sheet(t, string(text))))
	same(t, "a part of it", 3, len(sheet(t, g.MustCLI("events", "export", "--source", "sitejet", "--limit", "2"))))
	same(t, "the part behind it", harry, sheet(t, g.MustCLI("events", "export", "--before", formula, "--delimiter", "|"))[1][0][:len(harry)])
}

// What cannot be exported is refused before anything is written, with what to do about it.
func TestEventsExport_refused(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))
	vera := newVisitor(t, g)
	vera.logIn("vera", "only looking around")
	for query, c := range map[string]struct {
		code  int
		says  string
		typed bool // the fault is in the query, which the page tells, too
	}{
		"q=where%3Adata.website+%3D%3D":   {400, "the expression ends too early", true},
		"q=state%3Anope":                  {400, "there are routed, no_match", true},
		"q=since%3Ayesterday":             {400, "write 30d, 12h, or 2026-11-24", true},
		"q=source%3Asitejett":             {404, "did you mean &#34;sitejet&#34;", true},
		"q=source%3Asitejett+where%3A1>0": {404, "did you mean &#34;sitejet&#34;", true},
		"format=exe":                      {400, "there are csv, ndjson", false},
		"format=ndjson%3B":                {400, "ndjson has no delimiter", false},
	} {
		code, header, page := vera.do("GET", "/ui/events/export/file?"+query, nil)
		if code != c.code || header.Get("Content-Disposition") != "" {
			t.Errorf("%s: %d %v", query, code, header)
		}
		has(t, query, page, c.says)
		if code, _, page = vera.do("GET", "/ui/events/export?"+query, nil); c.typed {
			same(t, query+" on the page", c.code, code)
			has(t, query, page, c.says)
		}
	}
	for query, says := range map[string]string{
		"where=data.website+%3D%3D": "the expression ends too early", "stat=routed": `did you mean \"state\"`, "format=exe": "there are csv, ndjson",
		"delimiter=x": "cannot part cells", "delimiter=xx": "more than one character", "limit=0": "from 1 to 1000000", "source=sitejett": `did you mean \"sitejet\"`,
	} {
		code, header, text := vera.do("GET", "/api/v1/events/export?"+query, nil, "Authorization", "Basic dGVhbTpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=")
		if code < 400 || code > 404 || header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %v", query, code, header)
		}
		has(t, query, text, says)
	}
	for _, c := range []struct {
		code int
		args []string
	}{{2, []string{"--format", "xlsx"}}, {2, []string{"--where", "data.a =="}}, {2, []string{"--delimiter", "xx"}}, {2, []string{"--limit", "0"}}, {5, []string{"--source", "sitejett"}}} {
		out := filepath.Join(g.Dir, "none.csv")
		got := g.CLI(append([]string{"events", "export", "--out", out}, c.args...)...)
		if _, err := os.Stat(out); got.Code != c.code || err == nil {
			t.Errorf("%v: %+v, %v", c.args, got, err)
		}
	}
	_, _, page := vera.do("GET", "/ui/events/export?q=source%3Asitejet+diner+where%3Adata.a+%3D%3D+1", nil, "Accept-Language", "de")
	has(t, "the page in German", page, "Exportieren", "wie viele, zeigt sich erst beim Durchsehen", "das neueste zuerst, höchstens 1.000.000", "nur in NDJSON", "diner", "Europe/Berlin")
	_, _, page = vera.do("GET", "/ui/events/export/file?format=exe", nil, "Accept-Language", "de")
	has(t, "the refusal in German", page, "Es gibt kein Format", "csv, ndjson")
	_, _, page = vera.do("GET", "/ui/events/export", nil)
	has(t, "the page", page, "1 event: all that are kept", "the newest first, 1,000,000 at most")
	_, _, page = vera.do("GET", "/ui/events?q=source%3Asitejet", nil)
	has(t, "the list", page, `href="/ui/events/export?q=source%3asitejet"`, "Export…")
}

// What comes in while somebody reads is not in the file, and takes nothing out of it. What
// is rare among others is found, however far back, and only since when it is asked for.
// Who leaves, or asks for the head alone, gives the place back.
//
// Break: step that goes back too far, or ends too soon; a download that is not closed.
func TestEventsExport_meanwhile(t *testing.T) {
	t.Parallel()
	var status atomic.Int32
	status.Store(http.StatusOK)
	g := startUI(t, &status)
	const payload = `{"previousStatus":"x","website":{"id":1,"title":"Other","status":"y"}}`
	g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(payload)))
	g.Stop()
	conn, err := sql.Open("sqlite3", "file:"+g.Storage)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 29999)
		INSERT INTO events (id, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, deliveries, first, content)
		SELECT e.id + n, source, form, type, received, state, cause, duplicate_of, plan, verdicts, errors, 0, 0, content
		FROM events e, n WHERE e.id = (SELECT max(id) FROM events)`); err != nil {
		t.Fatal(err)
	}
	var rare []string
	for _, back := range []int{0, 1999, 2000, 29999} { // the ends of what one step looks through
		var id int64
		if err := conn.QueryRowContext(t.Context(), `UPDATE events SET type = 'rare' WHERE id = (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?) RETURNING id`, back).Scan(&id); err != nil {
			t.Fatal(err)
		}
		rare = append(rare, event.ID(id).String())
	}
	_ = conn.Close()
	g.Start()
	vera := newVisitor(t, g)
	vera.logIn("team", "correct horse battery")
	ids := func(query string) string {
		t.Helper()
		_, _, file := vera.do("GET", "/ui/events/export/file?"+query, nil)
		var found []string
		for _, row := range strings.Split(strings.TrimSpace(file), "\r\n")[1:] {
			found = append(found, strings.SplitN(row, ",", 2)[0])
		}
		return strings.Join(found, " ")
	}
	same(t, "what is rare", strings.Join(rare, " "), ids("q=type%3Arare"))
	for range 5 {
		if code, _, _ := vera.do("HEAD", "/ui/events/export/file", nil); code != http.StatusOK && code != http.StatusServiceUnavailable {
			t.Errorf("the head of a file: %d", code)
		}
		leaves, err := lab.NewClient().Do(asTeam(t, g, "/api/v1/events/export?format=ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = leaves.Body.Read(make([]byte, 100))
		_ = leaves.Body.Close()
	}
	lab.Eventually(t, "a place", func() bool { return ids("q=type%3Arare+since%3A1h") == strings.Join(rare, " ") })
	res, err := lab.NewClient().Do(asTeam(t, g, "/api/v1/events/export?format=ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines, seen, later := bufio.NewScanner(res.Body), map[string]bool{}, ""
	for lines.Scan() {
		if seen[fmt.Sprint(at(value(t, lines.Bytes()), "id"))] = true; len(seen) == 10 {
			later = g.Accepted(g.PostJSON("/in/sitejet/0123456789abcdef", []byte(donePayload)))
		}
	}
	if len(seen) != 30_000 || seen[later] || lines.Err() != nil {
		t.Errorf("%d events, what came later among them: %v, %v", len(seen), seen[later], lines.Err())
	}
}

// asTeam asks the API as the team.
func asTeam(t *testing.T, g *lab.Gate, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("team", "correct horse battery")
	return r
}
