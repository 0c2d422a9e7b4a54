package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/backup"
	"hookgate/app/config"
)

func newBackup(s *session) *cobra.Command {
	var verify bool
	c := &cobra.Command{
		Use: "backup FILE", GroupID: groupOperate, Short: "Put the database and the uploads into one file, while the server runs",
		Example: `  hookgate backup /backups/hookgate-$(date +%F).tar.zst --verify`,
		Long: `Put the database and the uploads that belong to it into one file, as they were at
one moment: everything that was acknowledged before the call is in it. The server
may be running and is not held up. A name that ends in .zst or .gz is packed. The
file gets its name once it is whole. --verify reads it back and checks all of it.

With PostgreSQL the file holds the uploads alone: run pg_dump before it.`,
		Args: exactly("the file to make"),
		RunE: func(cmd *cobra.Command, args []string) error { return s.backup(cmd.Context(), args[0], verify) },
	}
	c.Flags().BoolVar(&verify, "verify", false, "read it back, and check every checksum and the database")
	return c
}

// backedUp is what `backup --json` prints.
type backedUp struct {
	File string `json:"file"`
	backup.Report
	Packed   int64 `json:"packed"` // the size of the file
	Verified bool  `json:"verified"`
}

func (s *session) backup(ctx context.Context, path string, verify bool) error {
	if err := s.onThisMachine(); err != nil {
		return err
	}
	storage, place, err := s.storage()
	if err != nil {
		return err
	}
	if _, err := os.Stat(storage.Path); storage.URL.IsZero() && errors.Is(err, fs.ErrNotExist) {
		return &failure{code: exitFailed, err: fmt.Errorf("there is no database %s yet", storage.Path), hint: "hookgate serve makes it"}
	}
	stream, scratch := false, filepath.Dir(path)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		// Nothing stays there that could be read back, and /dev is no place for more.
		if stream, scratch = true, os.TempDir(); verify {
			return usageError("leave out --verify", fmt.Errorf("%s is no file that can be read back", path))
		}
	}
	ctx, stop := untilSignal(ctx, os.Exit)
	defer stop()
	out := backedUp{File: path, Verified: verify}
	shown := s.byteProgress()
	err = writeFile(path, 0o600, func(w io.Writer) error {
		out.Report, err = backup.Make(ctx, *storage, w, path, scratch, backup.Options{Version: version(), Now: s.now, Progress: shown.tell})
		return err
	})
	shown.end()
	if err != nil {
		return backupFailure(ctx, err)
	}
	if stream { // standard output may be what was written to
		s.note("%s and %s written to %s", plural(int(out.Events), "event"), plural(out.Uploads, "upload"), path)
		return s.backupGaps(&out)
	}
	if info, err := os.Stat(path); err == nil {
		out.Packed = info.Size()
	}
	if verify {
		if err := s.verifyBackup(ctx, path); err != nil {
			return err
		}
	}
	err = backup.Note(place, backup.Last{Made: out.Made, File: path, Bytes: out.Packed, Events: out.Events, Verified: verify})
	if err != nil {
		s.note("hookgate status will not know of it: %v", err)
	}
	return s.printBackup(&out)
}

func (s *session) printBackup(out *backedUp) error {
	if s.json {
		if err := s.printJSON(out); err != nil {
			return err
		}
	} else {
		what := thousands(int(out.Events)) + " events and " + plural(out.Uploads, "upload")
		if out.Database == backup.Postgres {
			what = plural(out.Uploads, "upload") + "; the database is PostgreSQL's, which pg_dump takes (docs/backup.md)"
		}
		checked := ""
		if out.Verified {
			checked = ", read back and whole"
		}
		s.out.Printf("%s %s  %s%s: %s\n", s.out.Good.Render("✓"), out.File, size(out.Packed), checked, what)
	}
	return s.backupGaps(out)
}

// backupGaps says what is not in the backup.
func (s *session) backupGaps(out *backedUp) error {
	if out.Gone > 0 {
		s.note("%s were deleted while it was made, by retention or because a person was forgotten", plural(out.Gone, "upload"))
	}
	if n := len(out.Missing); n > 0 {
		return &failure{
			code: exitFailed, err: fmt.Errorf("the content of %s is not in the folder for uploads, and so not in the backup: %s", plural(n, "upload"), strings.Join(out.Missing[:min(n, 5)], ", ")),
			hint: "the backup has all the rest; hookgate doctor tells more",
		}
	}
	return nil
}

func (s *session) verifyBackup(ctx context.Context, path string) error {
	f, err := os.Open(path) //nolint:gosec // the caller's own choice
	if err != nil {
		return &failure{code: exitFailed, err: err}
	}
	_, err = backup.Verify(ctx, f, filepath.Dir(path))
	if err = errors.Join(err, f.Close()); err != nil {
		return backupFailure(ctx, fmt.Errorf("%s: %w", path, err))
	}
	return nil
}

// onThisMachine refuses what works on files where the server is elsewhere.
func (s *session) onThisMachine() error {
	if url, _ := s.env("HOOKGATE_URL"); url != "" {
		return usageError("run it on the server's machine, without HOOKGATE_URL", errors.New("this works on the files of the server"))
	}
	return nil
}

// storage is where the config keeps its data; place is what lies beside it, for
// notes: the database file, or the config.
func (s *session) storage() (storage *config.Storage, place string, err error) {
	path, err := s.findConfig()
	if err != nil {
		return nil, "", err
	}
	doc, report := config.LoadStorage(path, s.env)
	if doc == nil || report.Err() != nil {
		return nil, "", s.configFailure(report)
	}
	return &doc.Storage, strings.TrimSuffix(app.SocketPath(doc), ".sock"), nil
}

// backupFailure gives an error of a backup its remedy.
func backupFailure(ctx context.Context, err error) error {
	f := &failure{code: exitFailed, err: err}
	var damage *backup.DamageError
	switch {
	case ctx.Err() != nil:
		return &failure{code: exitInterrupted, err: errors.New("interrupted: nothing was changed")}
	case errors.Is(err, backup.ErrRunning):
		f.hint = "stop the server first: a running one would go on with the file that it has open"
	case errors.Is(err, backup.ErrFilled):
		f.hint = "answer the question, or add --yes: what is there is moved aside, not deleted"
	case errors.Is(err, backup.ErrTorn):
		f.hint = "take another backup: nothing was changed"
	case errors.Is(err, backup.ErrNewer):
		f.hint = "install that version"
	case errors.Is(err, backup.ErrOtherEngine):
		f.hint = "storage of the config has to be of the same kind as the backup"
	case errors.As(err, &damage):
		f.hint = "restore the last good backup; hookgate doctor tells more"
	}
	return f
}

// byteProgress tells how far a backup is.
type byteProgress struct {
	session *session
	what    string
	shown   *progress
}

func (s *session) byteProgress() *byteProgress { return &byteProgress{session: s} }

// tell is backup.Options.Progress, in megabytes.
func (p *byteProgress) tell(what string, done, all int64) {
	const mega = 1 << 20
	if all < mega {
		return
	}
	if p.what != what {
		p.end()
		p.what, p.shown = what, p.session.progress(int(all/mega), what+", MB")
	}
	p.shown.set(int(done / mega))
}

func (p *byteProgress) end() {
	if p.shown != nil {
		p.shown.end()
	}
}

// size is a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes >= 10<<30:
		return fmt.Sprintf("%d GB", bytes>>30)
	case bytes >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(bytes)/(1<<30))
	case bytes >= 10<<20:
		return fmt.Sprintf("%d MB", bytes>>20)
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%d KB", (bytes+1023)>>10)
}

func newRestore(s *session) *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use: "restore FILE", GroupID: groupOperate, Short: "Take a backup apart into the storage that the config names",
		Example: `  hookgate restore /backups/hookgate-2026-03-10.tar.zst
  hookgate restore /backups/hookgate-2026-03-10.tar.zst --dry-run`,
		Long: `Take a backup apart into the storage that the config names. The server must not
be running. All of the backup is checked before anything changes. What is there
already is moved aside, after a question, and never deleted. --dry-run checks the
backup and says what would be done.`,
		Args: exactly("the file that hookgate backup made"),
		RunE: func(cmd *cobra.Command, args []string) error { return s.restore(cmd.Context(), args[0], dryRun) },
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "check the backup, and change nothing")
	return c
}

func (s *session) restore(ctx context.Context, path string, dryRun bool) error {
	if err := s.onThisMachine(); err != nil {
		return err
	}
	storage, _, err := s.storage()
	if err != nil {
		return err
	}
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return usageError("", err)
	}
	defer func() { _ = f.Close() }()
	ctx, stop := untilSignal(ctx, os.Exit)
	defer stop()
	present := backup.Look(ctx, *storage)
	if dryRun {
		return s.restoreDryRun(ctx, f, path, &present)
	}
	if len(present.Paths) > 0 {
		s.note("%s", presentText(&present))
		yes, err := s.confirm("Move it aside and restore " + path + "?")
		if err != nil {
			return err
		}
		if !yes {
			s.note("nothing was changed")
			return nil
		}
	}
	out, err := backup.Restore(ctx, *storage, f, len(present.Paths) > 0, backup.Options{Version: version(), Now: s.now})
	if err != nil {
		return backupFailure(ctx, fmt.Errorf("%s: %w", path, err))
	}
	if s.json {
		return s.printJSON(out)
	}
	s.out.Printf("%s restored as of %s: %s events, %s\n", s.out.Good.Render("✓"), out.Made.Local().Format(time.DateTime), thousands(int(out.Events)), plural(out.Uploads, "upload"))
	for _, kept := range out.Kept {
		s.out.Println("  what was there is now " + kept)
	}
	s.note("What was waiting then is sent again once the server starts, under the same ids. hookgate serve")
	return nil
}

func presentText(p *backup.Present) string {
	text := strings.Join(p.Paths, " and ") + map[bool]string{true: " is", false: " are"}[len(p.Paths) == 1] + " there already"
	if p.Events > 0 {
		text += fmt.Sprintf(", with %s events, the newest of %s", thousands(int(p.Events)), p.Newest.Local().Format(time.DateTime))
	}
	return text + "."
}

// restoreDryRun is what `restore --dry-run` prints.
func (s *session) restoreDryRun(ctx context.Context, f *os.File, path string, present *backup.Present) error {
	report, err := backup.Verify(ctx, f, "")
	if err != nil {
		return backupFailure(ctx, fmt.Errorf("%s: %w", path, err))
	}
	if s.json {
		return s.printJSON(map[string]any{"backup": report, "in_the_way": append([]string{}, present.Paths...)})
	}
	s.out.Printf("%s %s is whole: of %s, hookgate %s, %s events, %s\n", s.out.Good.Render("✓"), path,
		report.Made.Local().Format(time.DateTime), report.Version, thousands(int(report.Events)), plural(report.Uploads, "upload"))
	if len(present.Paths) > 0 {
		s.out.Println(presentText(present) + " It would be moved aside.")
	}
	return nil
}
