package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/forms"
)

// snippetKinds are the flags that choose a snippet.
var snippetKinds = []struct {
	kind forms.SnippetKind
	doc  string
}{
	{forms.PlainSnippet, "plain HTML, which needs no script (this is the default)"},
	{forms.FetchSnippet, "HTML with a script: the visitor stays on the page"},
	{forms.WordPressSnippet, "a block to paste into WordPress's code editor"},
	{forms.CF7Snippet, "tags for Contact Form 7, of a form with via: webhook and format: cf7"},
}

func newFormsSnippet(s *session) *cobra.Command {
	chosen := make([]bool, len(snippetKinds))
	var lang string
	c := &cobra.Command{
		Use: "snippet NAME", Short: "Print the form for a website: plain HTML, with a script, for WordPress or Contact Form 7",
		Example: `  hookgate forms snippet contact
  hookgate forms snippet contact --fetch --lang de > contact.html`,
		Args: exactly("the name of a form"),
		RunE: func(_ *cobra.Command, args []string) error {
			kind, err := snippetKind(chosen)
			if err != nil {
				return err
			}
			text, err := s.snippet(args[0], kind, lang)
			if err != nil {
				return err
			}
			if s.json {
				return s.printJSON(map[string]string{"form": args[0], "kind": string(kind), "html": text})
			}
			s.out.Printf("%s", text)
			return nil
		},
	}
	for i, k := range snippetKinds {
		c.Flags().BoolVar(&chosen[i], string(k.kind), false, k.doc)
	}
	c.Flags().StringVar(&lang, "lang", "", "language of the page: of the button, the marks and the answers (else the form's)")
	return c
}

// snippetKind is the one that was chosen, the plain one where none was.
func snippetKind(chosen []bool) (forms.SnippetKind, error) {
	var kinds []forms.SnippetKind
	for i, yes := range chosen {
		if yes {
			kinds = append(kinds, snippetKinds[i].kind)
		}
	}
	switch len(kinds) {
	case 0:
		return forms.PlainSnippet, nil
	case 1:
		return kinds[0], nil
	}
	return "", usageError("", errors.New("give one of --html, --fetch, --wordpress and --cf7"))
}

func (s *session) snippet(name string, kind forms.SnippetKind, lang string) (string, error) {
	loaded, _, err := s.load()
	if err != nil {
		return "", err
	}
	f := loaded.Forms[name]
	if f == nil {
		return "", s.noOrigin(loaded.Origins(), name, true)
	}
	if !f.Hosted() {
		return "", &failure{code: exitFailed, err: fmt.Errorf("form %q has no declared fields to make a snippet of", name), hint: `declare them instead of "fields: any"`}
	}
	wanted := forms.Lang(lang)
	if lang != "" && !wanted.Known() {
		var known []string
		for _, l := range forms.Languages() {
			known = append(known, string(l))
		}
		return "", usageError("the languages are "+strings.Join(known, ", "), fmt.Errorf("there is no language %q", lang))
	}
	if kind == forms.CF7Snippet || f.Webhook() {
		return s.builderSnippet(f, kind, wanted)
	}
	if kind == forms.FetchSnippet && !f.Scripted() {
		s.note(`form %q has no "origins": a script of another site cannot read the answer, add yours`, name)
	}
	if loaded.Config.Server.PublicURL == "" {
		s.note("server.public_url is not set: the address in the snippet is this machine's")
	}
	for _, in := range inbounds(loaded.Config) {
		if in.path == "/f/"+name {
			return f.Snippet(kind, wanted, in.whole())
		}
	}
	return "", fmt.Errorf("form %q has no address", name)
}

// builderSnippet is for a form that a form builder makes and sends.
func (s *session) builderSnippet(f *forms.Form, kind forms.SnippetKind, lang forms.Lang) (string, error) {
	text, err := f.ContactForm7(lang)
	switch {
	case kind == forms.CF7Snippet && errors.Is(err, forms.ErrNoSnippet):
		return "", &failure{code: exitFailed, err: fmt.Errorf("form %q does not come from Contact Form 7", f.Name), hint: "its form needs via: webhook and format: cf7; --wordpress puts a form of hookgate's into a page"}
	case kind == forms.CF7Snippet && err != nil:
		return "", &failure{code: exitFailed, err: fmt.Errorf("form %q: %w", f.Name, err)}
	case kind == forms.CF7Snippet:
		s.note("This is for the Form tab of Contact Form 7. The address for the plugin CF7 to Webhook: hookgate sources url %s", f.Name)
		return text, nil
	case err == nil:
		return "", &failure{code: exitFailed, err: fmt.Errorf("form %q: %w", f.Name, forms.ErrNoSnippet), hint: "--cf7 prints it for Contact Form 7"}
	}
	return "", &failure{
		code: exitFailed, err: fmt.Errorf("form %q: %w", f.Name, forms.ErrNoSnippet),
		hint: "make it there, with fields called " + strings.Join(f.FieldNames(), ", ") + "; hookgate sources url " + f.Name + " prints the address for its webhook",
	}
}
