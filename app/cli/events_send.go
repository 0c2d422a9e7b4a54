package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/ingest"
	"hookgate/app/web/api/client"
	"hookgate/internal/body"
	"hookgate/internal/jsondoc"
)

// maxSample limits what events send reads, well above any limit of a server.
const maxSample = 64 << 20

// sendFlags are those of events send.
type sendFlags struct {
	sets, headers []string
	contentType   string
	sample        bool
}

func newEventsSend(s *session) *cobra.Command {
	var flags sendFlags
	c := &cobra.Command{
		Use: "send SOURCE FILE|- | send SOURCE [SAMPLE] --sample | send SCHEDULE", Short: "Send a sample through the running server",
		Long: `Send a file, or a sample that hookgate has, through the running server, as if
SOURCE had received it: rules run and deliveries are made. SOURCE is a source or
a form. Only authentication, captchas and the recognition of repeats by signature
headers are left out.

With --sample it is what the source's sender sends, or what a visitor fills in,
and is never taken for a repeat. SAMPLE is one of those that hookgate samples list
SENDER shows; the first of them where it is left out.

Of a schedule no file makes the event that the clock would make now.

--set changes a value of a JSON sample first: a path of names and list indexes
with dots, and the new value, as JSON or else as text.`,
		Example: `  hookgate events send sitejet --sample
  hookgate events send sitejet website_created --sample
  hookgate events send sitejet sample.json --set website.status=Done`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return exactly("a source", "a file (or -)")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return s.send(cmd, args, &flags) },
	}
	f := c.Flags()
	f.BoolVar(&flags.sample, "sample", false, "send a sample that hookgate has")
	f.StringArrayVar(&flags.sets, "set", nil, "change a value first: `path=value`; may be given more than once")
	f.StringArrayVar(&flags.headers, "header", nil, "a `Name: value` of the request; may be given more than once")
	f.StringVar(&flags.contentType, "content-type", "", "the sample's content `type` (else by its name and content)")
	return c
}

func (s *session) send(cmd *cobra.Command, args []string, flags *sendFlags) error {
	in := admin.Sending{Source: args[0], ContentType: flags.contentType, Fresh: flags.sample}
	if len(args) == 1 && !flags.sample && !s.isSchedule(cmd, args[0]) {
		return usageError("hookgate events send "+args[0]+" --sample sends one that hookgate has", errors.New("say which file to send, or - for stdin"))
	}
	var err error
	if in.Headers, err = withHeaders(nil, flags.headers); err != nil {
		return err
	}
	switch {
	case flags.sample || len(args) == 1:
		err = s.withSample(cmd, args, &in)
	default:
		in.Body, err = s.readSample(args[1])
	}
	if err != nil {
		return err
	}
	if in.Body, err = setValues(in.Body, flags.sets); err != nil {
		return err
	}
	if in.ContentType == "" {
		in.ContentType = body.GuessType(args[1], in.Body)
	}
	return s.sendEvent(cmd, in)
}

// isSchedule reports whether the clock makes events of the source, as the config
// says, or the server where there is no config to read.
func (s *session) isSchedule(cmd *cobra.Command, name string) bool {
	if loaded, _, err := s.loadRules(); err == nil {
		src := loaded.Sources[name]
		return src != nil && src.Schedule() != nil
	}
	server, err := s.connect()
	if err != nil {
		return false
	}
	list, err := server.Inbounds(cmd.Context())
	return err == nil && slices.ContainsFunc(list.Items, func(in admin.Inbound) bool { return in.Name == name && in.Schedule != nil })
}

// withSample makes it one of the samples that the server has for the source.
func (s *session) withSample(cmd *cobra.Command, args []string, in *admin.Sending) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	list, err := server.Samples(cmd.Context(), in.Source)
	if err != nil {
		return notSent(err)
	}
	sample, err := chooseSample(list, args)
	if err != nil {
		return err
	}
	for name, value := range sample.Headers {
		if _, given := in.Headers[name]; !given {
			in.Headers[name] = value
		}
	}
	in.Body = []byte(sample.Body)
	if in.ContentType == "" {
		in.ContentType = sample.ContentType
	}
	return nil
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
	if !jsondoc.Valid(content) {
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

func (s *session) sendEvent(cmd *cobra.Command, in admin.Sending) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	accepted, err := server.Send(cmd.Context(), in)
	if err != nil {
		return notSent(err)
	}
	if s.json {
		return s.printJSON(accepted)
	}
	s.out.Println(accepted.ID.String())
	s.note("sent; hookgate events show %s tells what became of it", accepted.ID)
	return nil
}

// notSent is serverError for what has to name a source or form.
func notSent(err error) error {
	if errors.Is(err, client.ErrNotFound) {
		return &failure{code: exitNotFound, err: err, hint: "hookgate routes lists the sources and forms"}
	}
	return serverError(err)
}
