package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/valyala/fastjson"

	"hookgate/app/ingest"
	"hookgate/app/web/api/client"
	"hookgate/internal/body"
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
			content, err := s.readSample(args[1])
			if err != nil {
				return err
			}
			if content, err = setValues(content, sets); err != nil {
				return err
			}
			if contentType == "" {
				contentType = body.GuessType(args[1], content)
			}
			return s.sendEvent(cmd, args[0], contentType, content)
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
	content, err := io.ReadAll(io.LimitReader(in, maxSample+1))
	if err != nil {
		return nil, usageError("", fmt.Errorf("reading %s: %w", name, err))
	}
	if len(content) > maxSample {
		return nil, usageError("", fmt.Errorf("%s is larger than %d MB", name, maxSample>>20))
	}
	return content, nil
}

// setValues changes values of a JSON text as --set asks.
func setValues(content []byte, sets []string) ([]byte, error) {
	list, err := assignments(sets)
	if err != nil || len(list) == 0 {
		return content, err
	}
	if fastjson.ValidateBytes(content) != nil {
		return nil, usageError("", errors.New("--set needs a JSON sample"))
	}
	if content, err = ingest.SetJSON(content, list); err != nil {
		return nil, usageError("", fmt.Errorf("--set %w", err))
	}
	return content, nil
}

// assignments reads the values of --set.
func assignments(sets []string) ([]ingest.Assignment, error) {
	var list []ingest.Assignment
	for _, set := range sets {
		a, err := ingest.ParseAssignment(set)
		if err != nil {
			return nil, usageError("", fmt.Errorf("--set %q: %w", set, err))
		}
		list = append(list, a)
	}
	return list, nil
}

func (s *session) sendEvent(cmd *cobra.Command, source, contentType string, content []byte) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	accepted, err := server.Send(cmd.Context(), source, contentType, content)
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
