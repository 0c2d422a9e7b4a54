package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app/cli/term"
	"hookgate/internal/diag"
	"hookgate/rules/lang"
)

func newFunctions(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "functions [NAME]", GroupID: groupRules, Short: "List the functions of rules, or show one with its examples",
		Example: `  hookgate functions
  hookgate functions format_time`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exactly("the name of one function")(cmd, args)
			}
			return nil
		},
		ValidArgsFunction: completeFunctions,
		RunE: func(_ *cobra.Command, args []string) error {
			list := lang.Functions()
			if len(args) == 0 {
				if s.json {
					return s.printJSON(map[string]any{"items": list})
				}
				s.printFunctions(list)
				return nil
			}
			i := slices.IndexFunc(list, func(f lang.Function) bool { return f.Name == args[0] })
			if i < 0 {
				hint := diag.DidYouMean(args[0], functionNames())
				if hint == "" {
					hint = "hookgate functions lists them"
				}
				return &failure{code: exitNotFound, err: fmt.Errorf("there is no function %q", args[0]), hint: hint}
			}
			if s.json {
				return s.printJSON(list[i])
			}
			s.printFunction(&list[i])
			return nil
		},
	}
}

func completeFunctions(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return functionNames(), cobra.ShellCompDirectiveNoFileComp
}

func functionNames() []string {
	list := lang.Functions()
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	return names
}

// printFunctions prints all functions, by what they are about.
func (s *session) printFunctions(list []lang.Function) {
	column := 0
	for i := range list {
		column = max(column, term.Width(list[i].Name))
	}
	rest := max(narrowest, s.out.Width()-column-len("    "))
	group := ""
	for i := range list {
		f := &list[i]
		if f.Group != group {
			if group != "" {
				s.out.Println()
			}
			group = f.Group
			s.out.Println(s.out.Strong.Render(group))
		}
		name := s.out.Name.Render(f.Name) + strings.Repeat(" ", column-term.Width(f.Name))
		for _, line := range term.Wrap(f.Doc, rest) {
			s.out.Println("  " + name + "  " + line)
			name = strings.Repeat(" ", column)
		}
	}
	s.note("hookgate functions NAME tells its arguments, with examples.")
}

// printFunction prints all of one function.
func (s *session) printFunction(f *lang.Function) {
	s.out.Println(s.out.Strong.Render(f.Signature))
	s.wrapped("  ", f.Doc)
	s.wrapped("  ", f.OfNull())
	s.out.Println()
	s.out.Println(s.out.Strong.Render("Examples"))
	for _, x := range f.Examples {
		s.out.Println("  " + x.Code)
		s.out.Println(s.out.Dim.Render("    → " + x.Value))
	}
}
