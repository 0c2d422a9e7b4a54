package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app/cli/term"
	"hookgate/app/ingest"
	"hookgate/app/ingest/samples"
	"hookgate/internal/diag"
)

func newSamples(s *session) *cobra.Command {
	return group("samples", groupEvents, "See what senders send, before one has sent anything", newSamplesList(s), newSamplesShow(s))
}

func newSamplesList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list [SENDER]", Short: "List the samples of the known senders and form builders",
		Example: `  hookgate samples list
  hookgate samples list sitejet`,
		Args:              upTo(1, "a sender"),
		ValidArgsFunction: completeSenders,
		RunE: func(_ *cobra.Command, args []string) error {
			list := samples.All()
			if len(args) == 1 {
				var err error
				if list, err = s.samplesOf(args[0]); err != nil {
					return err
				}
			}
			if s.json {
				return s.printJSON(map[string]any{"items": list})
			}
			rows := make([][]string, len(list))
			for i, sample := range list {
				kind := "source"
				if sample.Form {
					kind = "form"
				}
				rows[i] = []string{s.out.Name.Render(sample.Sender), sample.Name, kind, sample.About}
			}
			s.out.Printf("%s", s.out.Table([]string{"SENDER", "SAMPLE", "FOR", "WHAT HAPPENED"}, rows))
			return nil
		},
	}
}

func newSamplesShow(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "show SENDER [SAMPLE]", Short: "Print a sample of a sender, or of a source or form of the config",
		Long: `Print the body of a sample: of a sender that samples list names, or of a source
or form of the config. A form's has a value for each of its fields. Without
SAMPLE it is the first of those there are.`,
		Example: `  hookgate samples show sitejet website_status_changed > website_status_changed.json
  hookgate samples show github push | hookgate explain - --source github`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 || len(args) == 2 {
				return nil
			}
			return usageError("usage: "+cmd.UseLine(), fmt.Errorf("%s wants a sender, and a sample where it has several", cmd.CommandPath()))
		},
		ValidArgsFunction: completeSenders,
		RunE: func(_ *cobra.Command, args []string) error {
			list, err := s.samplesOf(args[0])
			if err != nil {
				return err
			}
			sample, err := chooseSample(list, args)
			if err != nil {
				return err
			}
			if s.json {
				return s.printJSON(sample)
			}
			for name, value := range sample.Headers {
				s.note("sent with the header %s: %s", name, value)
			}
			s.out.Printf("%s", sample.Body)
			if !strings.HasSuffix(sample.Body, "\n") {
				s.out.Println()
			}
			return nil
		},
	}
}

// upTo is for commands whose arguments may be left out.
func upTo(n int, wanted string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return usageError("usage: "+cmd.UseLine(), fmt.Errorf("%s wants %s at the most", cmd.CommandPath(), wanted))
	}
}

// senders are the names of those that have samples, each once.
func senders() []string {
	var names []string
	for _, sample := range samples.All() {
		if !slices.Contains(names, sample.Sender) {
			names = append(names, sample.Sender)
		}
	}
	return names
}

func completeSenders(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	switch len(args) {
	case 0:
		return senders(), cobra.ShellCompDirectiveNoFileComp
	case 1:
		return sampleNames(samples.Of(args[0])), cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func sampleNames(list []samples.Sample) []string {
	names := make([]string, len(list))
	for i, sample := range list {
		names[i] = sample.Name
	}
	return names
}

// samplesOf are those of a known sender, or else of a source or form of the
// config.
func (s *session) samplesOf(name string) ([]samples.Sample, error) {
	if list := samples.Of(name); len(list) > 0 {
		return list, nil
	}
	unknown := &failure{
		code: exitNotFound, err: fmt.Errorf("no sender is called %q", name),
		hint: diag.DidYouMean(name, senders()),
	}
	if unknown.hint == "" {
		unknown.hint = "hookgate samples list shows them"
	}
	if _, err := s.findConfig(); err != nil {
		return nil, unknown
	}
	loaded, _, err := s.loadRules()
	if err != nil {
		return nil, err
	}
	list, err := samples.For(&loaded.Plan, name)
	if errors.Is(err, ingest.ErrNoSource) {
		unknown.err = fmt.Errorf("no sender, and no source or form of the config, is called %q", name)
		return nil, unknown
	}
	return list, err
}

// chooseSample is the one that args name: of a sender, and which.
func chooseSample(list []samples.Sample, args []string) (samples.Sample, error) {
	name := ""
	if len(args) > 1 {
		name = args[1]
	}
	sample, err := samples.Choose(list, args[0], name)
	if unknown, ok := errors.AsType[*samples.UnknownError](err); ok {
		return sample, &failure{code: exitNotFound, err: fmt.Errorf("%s has no sample %q", term.Clean(unknown.Of), unknown.Name), hint: unknown.Hint()}
	}
	return sample, err
}
