package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/valyala/fastjson"

	"hookgate/app/trial"
	"hookgate/app/web/api/client"
)

// maxSample limits what events send reads, well above any limit of a server.
const maxSample = 64 << 20

func newEventsSend(s *session) *cobra.Command {
	var sets []string
	var contentType string
	c := &cobra.Command{
		Use: "send SOURCE FILE|-", Short: "Send a sample through the running server",
		Long: `Send a sample through the running server, as if SOURCE had received it: rules
run and deliveries are made. Only authentication and the recognition of repeats
by signature headers are left out.

--set changes a value of a JSON sample first: a path of names and list indexes
with dots, and the new value, as JSON or else as text.`,
		Example: "  hookgate events send sitejet sample.json --set website.status=Done",
		Args:    exactly("a source", "a file (or -)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := s.readSample(args[1])
			if err != nil {
				return err
			}
			if body, err = setValues(body, sets); err != nil {
				return err
			}
			if contentType == "" {
				contentType = trial.ContentType(args[1], body)
			}
			return s.sendEvent(cmd, args[0], contentType, body)
		},
	}
	c.Flags().StringArrayVar(&sets, "set", nil, "change a value first: `path=value`; may be given more than once")
	c.Flags().StringVar(&contentType, "content-type", "", "the sample's content `type` (else by its name and content)")
	return c
}

func (s *session) readSample(name string) ([]byte, error) {
	in := s.stdin
	if name != "-" {
		file, err := os.Open(filepath.Clean(name))
		if err != nil {
			return nil, usageError("", err)
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	body, err := io.ReadAll(io.LimitReader(in, maxSample+1))
	if err != nil {
		return nil, usageError("", fmt.Errorf("reading %s: %w", name, err))
	}
	if len(body) > maxSample {
		return nil, usageError("", fmt.Errorf("%s is larger than %d MB", name, maxSample>>20))
	}
	return body, nil
}

// setValues changes values of a JSON text as --set asks.
func setValues(body []byte, sets []string) ([]byte, error) {
	list, err := assignments(sets)
	if err != nil || len(list) == 0 {
		return body, err
	}
	if fastjson.ValidateBytes(body) != nil {
		return nil, usageError("", errors.New("--set needs a JSON sample"))
	}
	if body, err = trial.SetJSON(body, list); err != nil {
		return nil, usageError("", fmt.Errorf("--set %w", err))
	}
	return body, nil
}

// assignments reads the values of --set.
func assignments(sets []string) ([]trial.Assignment, error) {
	var list []trial.Assignment
	for _, set := range sets {
		a, err := trial.ParseAssignment(set)
		if err != nil {
			return nil, usageError("", fmt.Errorf("--set %q: %w", set, err))
		}
		list = append(list, a)
	}
	return list, nil
}

func (s *session) sendEvent(cmd *cobra.Command, source, contentType string, body []byte) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	accepted, err := server.Send(cmd.Context(), source, contentType, body)
	if errors.Is(err, client.ErrNotFound) {
		return &failure{code: exitNotFound, err: err, hint: "hookgate routes lists the sources; a form is posted to: hookgate sources url FORM"}
	}
	if err != nil {
		return serverError(err)
	}
	if s.json {
		return s.printJSON(accepted)
	}
	s.out.Println(accepted.ID.String())
	s.note("sent; hookgate events show %s tells what became of it", accepted.ID)
	return nil
}
