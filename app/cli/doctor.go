package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/doctor"
	"hookgate/app/web/api/client"
)

func newDoctor(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", GroupID: groupOperate, Short: "Look everything over, and say what to do about what is wrong",
		Example: `  hookgate doctor
  sudo -u hookgate hookgate doctor -c /etc/hookgate/config.yaml`,
		Long: `Look everything over: the config and its tests, the server that runs, the database
and its log, the clock, the uploads, the disk, the public URL as it is seen from
here, the receivers, and the last backup. Nothing is changed or sent. Each finding
says what to do. The status is 1 when something is wrong; advice leaves it 0.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.onThisMachine(); err != nil {
				return err
			}
			path, err := s.findConfig()
			if err != nil {
				return err
			}
			report := doctor.Examine(cmd.Context(), doctor.Options{
				Path: path, Env: s.env, Version: version(), Now: s.now, Server: asker{s},
				Unreachable: func(err error) bool { return errors.Is(err, client.ErrUnreachable) },
			})
			return s.printReport(&report)
		},
	}
}

// asker asks the running server, whether there is one or not.
type asker struct{ s *session }

// Status implements doctor.Server.
func (a asker) Status(ctx context.Context) (admin.Status, error) {
	server, err := a.s.connect()
	if err != nil {
		return admin.Status{}, err
	}
	return server.Status(ctx)
}

func (s *session) printReport(r *doctor.Report) error {
	problems := r.Problems()
	if s.json {
		if err := s.printJSON(r); err != nil {
			return err
		}
		if problems > 0 {
			return &failure{code: exitFailed}
		}
		return nil
	}
	for _, f := range r.Findings {
		sign := s.out.Bad.Render("✗")
		if f.Advice {
			sign = s.out.Warn.Render("!")
		}
		s.out.Printf("%s %s  %s\n%s\n", sign, s.out.Strong.Render(f.Check), term.Clean(f.What), term.Indent(s.out.Dim.Render("→ ")+term.Clean(f.Remedy), "    "))
	}
	s.out.Printf("%s were looked at: %s.\n", plural(len(r.Checked), "thing"), strings.Join(r.Checked, ", "))
	if problems > 0 {
		verb := "were"
		if problems == 1 {
			verb = "was"
		}
		return &failure{code: exitFailed, err: fmt.Errorf("%s %s found", plural(problems, "fault"), verb)}
	}
	return nil
}
