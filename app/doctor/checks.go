package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/backup"
	"hookgate/app/config"
	"hookgate/app/ingest/files"
	"hookgate/db"
	"hookgate/internal/diag"
	"hookgate/internal/disk"
	"hookgate/internal/egress"
	"hookgate/internal/event"
)

const (
	// leastFree is how much of the disk should be free: the larger of a share
	// and a number of bytes, of which forms leave 256 MB to events.
	leastFreeShare = 0.05
	leastFree      = 512 << 20
	// leastInodes is how many files there should be room for.
	leastInodes = 1000
	// largeLog is a write-ahead log that nobody takes up into the database any
	// more; the server does so at 16 MB.
	largeLog = 256 << 20
	// clockSlack is how far an event may lie ahead of the clock.
	clockSlack = time.Minute
	// oldBackup is when a backup is called old.
	oldBackup = 8 * 24 * time.Hour
	// reachTime is how long one look at the network may take.
	reachTime = 5 * time.Second
	// longWait is how long deliveries may have waited without being told.
	longWait = time.Hour
)

// config reads the configuration and runs its tests.
func (x *examination) config(ctx context.Context, found func(what, remedy string)) bool {
	plan, report, err := app.Check(ctx, x.opt.Path, nil, false)
	if report == nil {
		found(err.Error(), "name the config with -c FILE, or make one: hookgate init")
		return true
	}
	for _, d := range report.List {
		if d.Severity == diag.Advice {
			continue
		}
		remedy := d.Hint
		if remedy == "" {
			remedy = "hookgate check shows the place"
		}
		found(d.String()+" "+d.Message, remedy)
	}
	if x.plan = plan; plan != nil {
		x.doc = plan.Config
		return true
	}
	if doc, report := config.LoadStorage(x.opt.Path, x.opt.Env); doc != nil && report.Err() == nil {
		x.doc = doc
	}
	return true
}

// failing tells of connections that do not work: somebody paused them, or they fail.
func (x *examination) failing(list []admin.FailingConnection, found func(what, remedy string)) {
	for _, c := range list {
		switch c.State {
		case "paused":
			what := fmt.Sprintf("the connection %s is paused, %d deliveries are held", c.Name, c.Waiting)
			if c.Paused != nil && c.Paused.Until != nil {
				what += "; it goes on " + c.Paused.Until.Local().Format(time.DateTime)
			}
			x.advise("server", what, "hookgate connections resume "+c.Name)
		default:
			found(fmt.Sprintf("the connection %s is %s: %s", c.Name, c.State, c.LastError), "hookgate connections test "+c.Name+" tries it, and says where to look")
		}
	}
}

// server asks the one that runs how it is.
func (x *examination) server(ctx context.Context, found func(what, remedy string)) bool {
	if x.doc == nil {
		return false
	}
	st, err := x.opt.Server.Status(ctx)
	if err != nil {
		remedy := "hookgate serve starts it; with systemd: systemctl status hookgate says why it ended"
		if !x.opt.Unreachable(err) {
			remedy = "look at the server's log"
		}
		found("no server answers: "+err.Error(), remedy)
		return true
	}
	x.running = true
	if st.Version != x.opt.Version {
		found(fmt.Sprintf("the server that runs is %s, and this program is %s", st.Version, x.opt.Version), "restart the server, so that it is the one that is installed")
	}
	if !st.Ready {
		found("the server cannot do its work: "+st.NotReady, "look at its log; /readyz says the same to a load balancer")
	}
	if st.Refused != nil {
		what := "the config was refused at " + st.Refused.At.Local().Format(time.DateTime) + ", and the one before is in force"
		if len(st.Refused.Diagnostics) > 0 {
			what += ": " + st.Refused.Diagnostics[0].Message
		}
		found(what, "mend it, then hookgate reload; what only a start can change needs a restart")
	} else if x.plan != nil && st.Config != x.plan.Config.Hash {
		found("the config file is another than the one in force", "hookgate reload")
	}
	x.failing(st.Failing, found)
	if c := st.Clock; c != nil {
		found(fmt.Sprintf("the database's clock is not trusted: it showed %s where %s was expected, so nothing that is scheduled goes", c.Shows.Local().Format(time.DateTime), c.Expected.Local().Format(time.DateTime)),
			"set the clock right; if it is, hookgate clock accept")
	}
	if late := st.Late; late != nil {
		found(fmt.Sprintf("what is scheduled is late: the first was due at %s, and of %d nothing has come", late.Since.Local().Format(time.DateTime), late.Count),
			"look at the server's log for: trying again")
	}
	for _, tick := range st.Schedules {
		if tick.Late {
			found(fmt.Sprintf("the schedule %s was due at %s, and no event was made", tick.Name, tick.At.Local().Format(time.DateTime)), "look at the server's log for: schedules could not be followed")
		}
	}
	if wait := time.Duration(st.OldestWaitingS * float64(time.Second)); wait > longWait && len(st.Failing) == 0 {
		found(fmt.Sprintf("deliveries have waited for %s", wait.Round(time.Minute)), "hookgate deliveries list --state waiting,retrying,held shows them")
	}
	return true
}

// database looks at the SQLite file: whose it is, whether it is whole, and its
// log.
func (x *examination) database(ctx context.Context, found func(what, remedy string)) bool {
	if x.doc == nil || !x.doc.Storage.URL.IsZero() {
		return false
	}
	path := x.doc.Storage.Path
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			found(fmt.Sprintf("the folder of the database, %s, is not there", filepath.Dir(path)), "make it, for the user whom the server runs as, or mend storage.path")
		} else {
			x.advise("database", "there is no database yet: "+path, "hookgate serve makes it")
		}
		return true
	}
	if err != nil {
		found("the database cannot be looked at: "+err.Error(), "run this as the user whom the server runs as")
		return true
	}
	if info.Mode().Perm()&0o007 != 0 {
		found(fmt.Sprintf("every user of this machine can read the database (mode %04o)", info.Mode().Perm()), "take the right away: chmod o= "+path)
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > largeLog {
		remedy := "start the server: it takes the log up into the database"
		if x.running {
			remedy = "a program that reads the database keeps the log from being taken up: a backup, or sqlite3; end it"
		}
		found(fmt.Sprintf("the log of the database has %d MB", log.Size()>>20), remedy)
	}
	inside, err := db.Inspect(ctx, path, true)
	switch {
	case err != nil:
		found("the database cannot be read: "+err.Error(), "run this as the user whom the server runs as; is it a database of hookgate?")
	case len(inside.Damage) > 0:
		found("the database is damaged: "+inside.Damage[0], "stop the server, keep the file, and restore the last backup: hookgate restore FILE")
	case inside.IsNewer():
		found(fmt.Sprintf("the database was written by a newer version of hookgate: its tables are of version %d, this one knows %d", inside.Tables, inside.Known), "install that version, or restore the backup from before")
	}
	return true
}

// clock holds the newest event to the clock.
func (x *examination) clock(ctx context.Context, found func(what, remedy string)) bool {
	if x.doc == nil || !x.doc.Storage.URL.IsZero() {
		return false
	}
	r, err := db.OpenReader(x.doc.Storage.Path)
	if err != nil {
		return false
	}
	defer func() { _ = r.Close() }()
	list, err := r.Events(ctx, event.Filter{Limit: 1})
	if err != nil {
		return false
	}
	if len(list) > 0 {
		if ahead := list[0].ID.Time().Sub(x.opt.Now()); ahead > clockSlack {
			found(fmt.Sprintf("the newest event is %s ahead of this machine's clock", ahead.Round(time.Second)), "set the clock right (timedatectl); events that came with the wrong one keep their times")
		}
	}
	return true
}

// uploads looks whether the contents of all files are there.
func (x *examination) uploads(ctx context.Context, found func(what, remedy string)) bool {
	if x.doc == nil || x.doc.Storage.Files == "" || !x.doc.Storage.URL.IsZero() {
		return false
	}
	r, err := db.OpenReader(x.doc.Storage.Path)
	if err != nil {
		return false
	}
	defer func() { _ = r.Close() }()
	folder, all, missing, first := x.doc.Storage.Files, 0, 0, ""
	err = r.EachFile(ctx, func(f event.File) error {
		all++
		if info, err := os.Stat(filepath.Join(folder, f.ID)); err != nil || info.Size() != f.Size {
			if missing++; first == "" {
				first = f.ID
			}
		}
		return nil
	})
	if err != nil {
		return false
	}
	if missing > 0 {
		found(fmt.Sprintf("of %d uploads %d are not in %s, or not whole: %s", all, missing, folder, first), "is the right folder mounted there? Else restore the last backup")
	}
	if _, err := os.Stat(filepath.Join(folder, files.MarkName)); all > 0 && missing < all && errors.Is(err, fs.ErrNotExist) {
		found("the mark of the folder for uploads, "+filepath.Join(folder, files.MarkName)+", is gone: the server does not start without it", "restore it from the last backup, or put an empty file "+files.AdoptName+" beside where it was")
	}
	return true
}

// disk looks how full the disks are, and whether they can be written to.
func (x *examination) disk(_ context.Context, found func(what, remedy string)) bool {
	if x.doc == nil {
		return false
	}
	folders := []string{}
	if x.doc.Storage.URL.IsZero() {
		folders = append(folders, filepath.Dir(x.doc.Storage.Path))
	}
	if _, err := os.Stat(x.doc.Storage.Files); x.doc.Storage.Files != "" && err == nil {
		folders = append(folders, x.doc.Storage.Files)
	}
	seen := map[disk.Usage]bool{}
	for _, folder := range folders {
		usage, err := disk.Of(folder)
		if err != nil || seen[usage] {
			continue
		}
		seen[usage] = true
		if least := max(int64(leastFreeShare*float64(usage.Total)), leastFree); usage.Free < least && usage.Total > 0 {
			found(fmt.Sprintf("the disk of %s is nearly full: %d MB of %d MB are free", folder, usage.Free>>20, usage.Total>>20), "make room, or shorten retention and run hookgate prune; without room senders get 503")
		}
		if usage.Inodes > 0 && usage.FreeInodes < leastInodes {
			found(fmt.Sprintf("the disk of %s has room for %d more files only (inodes)", folder, usage.FreeInodes), "delete small files, or give it a file system with more inodes")
		}
		if err := writable(folder); err != nil {
			found(fmt.Sprintf("nothing can be written to %s: %v", folder, err), "give the folder to the user whom the server runs as, and run this as that user")
		}
	}
	return len(folders) > 0
}

// writable makes a file and removes it.
func writable(folder string) error {
	f, err := os.CreateTemp(folder, ".hookgate-doctor-*")
	if err != nil {
		return errors.Unwrap(err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// publicURL looks at the server as senders do, as far as that can be done from
// here.
func (x *examination) publicURL(ctx context.Context, found func(what, remedy string)) bool {
	if x.plan == nil {
		return false
	}
	public := x.plan.Config.Server.PublicURL
	if public == "" {
		x.advise("public_url", "server.public_url is not set: senders outside of this machine cannot be told an address", "set it to what the world calls the server")
		return true
	}
	u, err := url.Parse(public)
	if err != nil {
		return false
	}
	if u.Scheme != "https" {
		found("server.public_url is http: secrets in URLs and posts can be read on their way", "put a web server that does TLS in front, and write https")
	}
	ctx, cancel := context.WithTimeout(ctx, 2*reachTime)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		found("the name of server.public_url is not known to the DNS: "+u.Hostname(), "add an A or AAAA record for it")
		return true
	}
	for _, a := range addresses {
		if err := egress.New(egress.Config{}).Check(a.Unmap()); err != nil {
			found(fmt.Sprintf("server.public_url leads to %s, which is no public address", a.Unmap()), "senders outside reach public addresses only: write the one of your web server")
			break
		}
	}
	if fault := probe(ctx, public); fault != "" {
		found("server.public_url, asked from here, "+fault, "is the web server in front running, and does it pass requests on to "+x.plan.Config.Server.Listen+"? (A router may not let this machine reach its own address: then try from outside)")
	}
	return true
}

// probe asks for /healthz under the public URL, and says what is wrong with what
// came; "" where nothing is.
func probe(ctx context.Context, public string) string {
	client := egress.New(egress.Config{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}})
	defer client.Close()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, public+"/healthz", http.NoBody)
	if err != nil {
		return err.Error()
	}
	res, err := client.RoundTripper().RoundTrip(req)
	if err != nil {
		return "does not answer: " + egress.Cause(err).Error()
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Sprintf("answers %s to /healthz, as hookgate does not", res.Status)
	}
	return ""
}

// login asks the provider at which people log in what it says of itself.
func (x *examination) login(ctx context.Context, found func(what, remedy string)) bool {
	if x.plan == nil {
		return false
	}
	provider := x.plan.Config.Server.Admin.Access().Provider
	if provider == nil {
		return false
	}
	client := egress.New(egress.Config{AllowPrivate: x.plan.Config.Outbound.AllowPrivate})
	defer client.Close()
	if err := provider.Reach(ctx, client.RoundTripper()); err != nil {
		found(fmt.Sprintf("the provider of server.admin.oidc does not answer as it should: %v", egress.Cause(err)),
			"nobody can log in there: is issuer what its /.well-known/openid-configuration says? Until then, one of users logs in by hookgate login")
	}
	return true
}

// connections looks for the receivers in the DNS and dials them, through the
// guard by which deliveries go. Nothing is sent.
func (x *examination) connections(ctx context.Context, found func(what, remedy string)) bool {
	if x.plan == nil {
		return false
	}
	client := egress.New(egress.Config{AllowPrivate: x.plan.Config.Outbound.AllowPrivate})
	defer client.Close()
	for _, c := range x.plan.Config.Connections {
		for _, address := range addresses(c.Node) {
			one, cancel := context.WithTimeout(ctx, reachTime)
			conn, err := client.DialContext(one, "tcp", address)
			cancel()
			if err == nil {
				_ = conn.Close()
				continue
			}
			var dns *net.DNSError
			what, remedy := fmt.Sprintf("the connection %s does not reach %s: %v", c.Name.Value, address, egress.Cause(err)), "look at the address, and at firewalls in between"
			switch {
			case errors.Is(err, egress.ErrRefused):
				remedy = "private addresses are refused: name this one in outbound.allow_private if it is meant"
			case errors.As(err, &dns):
				what = fmt.Sprintf("the connection %s: the name of %s is not known to the DNS", c.Name.Value, address)
				remedy = "look at the spelling in the connection's settings, and at this machine's DNS"
			case strings.Contains(err.Error(), "connection refused"):
				remedy = "nothing listens there: look at host and port, and whether the receiver runs"
			}
			found(what, remedy)
		}
	}
	return true
}

// backup looks when the last one was made.
func (x *examination) backup(context.Context, func(what, remedy string)) bool {
	if x.doc == nil {
		return false
	}
	last, err := backup.ReadLast(strings.TrimSuffix(app.SocketPath(x.doc), ".sock"))
	switch {
	case err != nil:
		return false
	case last == nil:
		x.advise("backup", "no backup was made", "hookgate backup FILE --verify, every night")
	case x.opt.Now().Sub(last.Made) > oldBackup:
		x.advise("backup", "the last backup is of "+last.Made.Local().Format(time.DateOnly), "hookgate backup FILE --verify, every night")
	}
	return true
}
