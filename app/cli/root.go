package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The groups of the commands in the help, in their order.
const (
	groupStart      = "start"
	groupRules      = "rules"
	groupEvents     = "events"
	groupDeliveries = "deliveries"
	groupForms      = "forms"
	groupOperate    = "operate"
	groupAccess     = "access"
)

func newRoot(s *session) *cobra.Command {
	root := &cobra.Command{
		Use:           "hookgate",
		Short:         "hookgate routes website events and form posts to your tools.",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
		PersistentPreRun: func(*cobra.Command, []string) { s.prepare() },
	}
	root.SetIn(s.stdin)
	root.SetOut(s.stdout)
	root.SetErr(s.stderr)
	root.SetVersionTemplate("hookgate {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("see "+cmd.CommandPath()+" --help", err)
	})
	root.AddGroup(
		&cobra.Group{ID: groupStart, Title: "Start"},
		&cobra.Group{ID: groupRules, Title: "Rules"},
		&cobra.Group{ID: groupEvents, Title: "Events"},
		&cobra.Group{ID: groupDeliveries, Title: "Deliveries"},
		&cobra.Group{ID: groupForms, Title: "Forms"},
		&cobra.Group{ID: groupOperate, Title: "Operate"},
		&cobra.Group{ID: groupAccess, Title: "Access"},
	)
	root.SetHelpCommandGroupID(groupOperate)
	root.SetCompletionCommandGroupID(groupOperate)
	globalFlags(root, s)
	root.AddCommand(
		newInit(s), newServe(s), newDemo(s),
		newCheck(s), newTest(s), newExplain(s), newSchema(s), newRoutes(s), newFunctions(s), newTables(s), newDigests(s), newMCP(s),
		newEvents(s), newViews(s), newReplay(s), newSamples(s), newDeliveries(s),
		newForms(s),
		newLogin(s), newTokens(s), newPasswd(s),
		newConnections(s), newConnectors(s), newRecipes(s), newStatus(s), newDoctor(s), newBackup(s), newRestore(s), newPrune(s), newClock(s), newReload(s), newReplicas(s), newMigrate(s), newSources(s), newVersion(s),
	)
	completeNames(s, root)
	root.SetHelpCommand(newHelp())
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Short, c.Long = "Print a script for the completion of bash, zsh, fish or powershell", ""
			c.Args, c.RunE = cobra.ArbitraryArgs, runGroup
		}
	}
	return root
}

func globalFlags(root *cobra.Command, s *session) {
	f := root.PersistentFlags()
	f.StringVarP(&s.file, "config", "c", "", "the `file` to use (else HOOKGATE_CONFIG, ./config.yaml, …)")
	f.BoolVar(&s.json, "json", false, "print JSON")
	f.BoolVarP(&s.quiet, "quiet", "q", false, "print errors and data only")
	f.BoolVarP(&s.verbose, "verbose", "v", false, "say more")
	f.BoolVar(&s.noColor, "no-color", false, "no colour (also: NO_COLOR, TERM=dumb, no terminal)")
	f.BoolVar(&s.yes, "yes", false, "answer questions with yes")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml")
}

// newHelp is cobra's help command, which takes a name that it does not know
// for none.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", GroupID: groupOperate, Short: "Help about any command",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			switch {
			case err != nil:
				return err
			case len(rest) > 0:
				return unknownCommand(about, rest[0])
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// group makes a command that only holds others.
func group(use, id, short string, members ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, GroupID: id, Short: short,
		Args: cobra.ArbitraryArgs, RunE: runGroup,
	}
	c.AddCommand(members...)
	return c
}

// runGroup answers a call of a command that only holds others.
func runGroup(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return unknownCommand(cmd, args[0])
	}
	return usageError("see "+cmd.CommandPath()+" --help", errors.New("say which: "+memberNames(cmd)))
}

func memberNames(cmd *cobra.Command) string {
	var names []string
	for _, m := range cmd.Commands() {
		if m.IsAvailableCommand() {
			names = append(names, cmd.CommandPath()+" "+m.Name())
		}
	}
	return strings.Join(names, ", ")
}

func unknownCommand(cmd *cobra.Command, name string) error {
	cmd.SuggestionsMinimumDistance = 2
	hint := "see " + cmd.CommandPath() + " --help"
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		hint = fmt.Sprintf("did you mean %q?", near[0])
	}
	return usageError(hint, fmt.Errorf("%s has no command %q", cmd.CommandPath(), name))
}

// exactly is cobra.ExactArgs with a message that names what is wanted.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		wanted := "no arguments"
		if len(names) > 0 {
			wanted = strings.Join(names, " and ")
		}
		return usageError("usage: "+cmd.UseLine(), fmt.Errorf("%s wants %s", cmd.CommandPath(), wanted))
	}
}
