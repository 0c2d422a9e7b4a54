package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app"
	"hookgate/app/config"
	"hookgate/internal/event"
)

func newMigrate(s *session) *cobra.Command {
	return group("migrate", groupOperate, "Move the history to another kind of database", newMigrateToPostgres(s))
}

func newMigrateToPostgres(s *session) *cobra.Command {
	var from, to string
	c := &cobra.Command{
		Use: "sqlite-to-postgres --from FILE", Short: "Move the history of a SQLite file into a PostgreSQL database",
		Example: `  hookgate migrate sqlite-to-postgres --from hookgate.db`,
		Long: `Copy all that a SQLite file holds into a PostgreSQL database, under the same
ids, and compare the two. Stop hookgate before. Interrupted, it goes on when it
is run again. Until it is done, hookgate does not start on the PostgreSQL
database. The file is kept.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" {
				return usageError("see "+cmd.CommandPath()+" --help", errors.New("say which SQLite file: --from FILE"))
			}
			target, err := s.moveTarget(to)
			if err != nil {
				return err
			}
			return s.moveHistory(cmd.Context(), from, target)
		},
	}
	c.Flags().StringVar(&from, "from", "", "the SQLite `file`")
	c.Flags().StringVar(&to, "to", "", "the `URL` of the PostgreSQL database (else storage.url of the config)")
	_ = c.MarkFlagFilename("from", "db")
	return c
}

// moveTarget is the URL that was given, or else the config's.
func (s *session) moveTarget(given string) (event.Secret, error) {
	if given != "" {
		return event.NewSecret(given), nil
	}
	path, err := s.findConfig()
	if err != nil {
		return event.Secret{}, err
	}
	doc, report := config.Load(path, s.env)
	if doc == nil {
		return event.Secret{}, s.configFailure(report)
	}
	if doc.Storage.URL.IsZero() {
		return event.Secret{}, &failure{
			code: exitConfig, err: errors.New("the config has no storage.url to move the history to"), hint: "set it, or give --to URL",
		}
	}
	return doc.Storage.URL, nil
}

// moved is what `migrate sqlite-to-postgres --json` prints.
type moved struct {
	OK     bool         `json:"ok"`
	Tables []movedTable `json:"tables"`
}

type movedTable struct {
	Name   string `json:"name"`
	Source int64  `json:"source"`
	Target int64  `json:"target"`
	Same   bool   `json:"same"`
}

func (s *session) moveHistory(ctx context.Context, from string, to event.Secret) error {
	ctx, stop := untilSignal(ctx, os.Exit)
	defer stop()
	options := app.Options{Logger: slog.New(slog.DiscardHandler), Version: version(), Now: s.now}
	tables, err := app.MoveHistory(ctx, from, to, options, s.moveProgress())
	if len(tables) > 0 {
		if printed := s.printMoved(tables, err == nil); printed != nil {
			return printed
		}
	}
	switch {
	case err == nil:
		s.note("every row is there and the same: start hookgate with storage.url. %s is no longer used", from)
		return nil
	case errors.Is(err, app.ErrMoved):
		s.note("%v: there is nothing to do", err)
		return nil
	case ctx.Err() != nil:
		return &failure{code: exitInterrupted, err: errors.New("interrupted"), hint: "run it again: it goes on where it was"}
	case errors.Is(err, app.ErrDiffers):
		return &failure{code: exitFailed, err: err, hint: "the file has been used since the first try, or something else wrote to PostgreSQL: drop the tables there and run it again"}
	case errors.Is(err, app.ErrBadURL):
		return usageError("--to, or storage.url of the config: "+app.Remedy(err), err)
	case errors.Is(err, app.ErrInUse):
		return &failure{code: exitFailed, err: err, hint: "stop it first"}
	case errors.Is(err, app.ErrTargetFilled):
		return &failure{code: exitFailed, err: err, hint: "use another database, or another schema: ?search_path=name"}
	}
	return &failure{code: exitFailed, err: err, hint: app.Remedy(err)}
}

// moveProgress writes a line when a table is done, and every second.
func (s *session) moveProgress() func(app.MoveProgress) {
	last := s.now()
	return func(p app.MoveProgress) {
		if now := s.now(); p.Done >= p.All || now.Sub(last) >= time.Second {
			last = now
			what := "copied"
			if p.Verifying {
				what = "verified"
			}
			s.note("%s: %s of %s rows %s", p.Table, thousands(int(p.Done)), thousands(int(p.All)), what)
		}
	}
}

func (s *session) printMoved(tables []app.MovedTable, ok bool) error {
	if s.json {
		out := moved{OK: ok}
		for _, t := range tables {
			out.Tables = append(out.Tables, movedTable(t))
		}
		return s.printJSON(out)
	}
	var rows [][]string
	for _, t := range tables {
		verdict := s.out.Good.Render("✓ the same")
		if !t.Same {
			verdict = s.out.Bad.Render("✗ different")
		}
		rows = append(rows, []string{t.Name, thousands(int(t.Source)), thousands(int(t.Target)), verdict})
	}
	s.out.Printf("%s", s.out.Table([]string{"TABLE", "SQLITE", "POSTGRESQL", "CONTENT"}, rows))
	return nil
}
