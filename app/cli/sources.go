package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"hookgate/app/config"
	"hookgate/internal/diag"
)

func newSources(s *session) *cobra.Command {
	return group("sources", groupOperate, "Look at the sources of the config", newSourcesURL(s), newFields(s, false))
}

func newSourcesURL(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "url NAME", Short: "Print the URL to paste at the sender, with its token",
		Example: `  hookgate sources url sitejet`,
		Args:    exactly("the name of a source or form"),
		RunE: func(_ *cobra.Command, args []string) error {
			loaded, _, err := s.loadRules() // values of other parts do not matter
			if err != nil {
				return err
			}
			for _, in := range inbounds(loaded.Config) {
				if in.name == args[0] {
					return s.printURL(&in, loaded.Config.Server.PublicURL != "")
				}
			}
			return &failure{
				code: exitNotFound, err: fmt.Errorf("the config has no source or form %q", args[0]),
				hint: diag.DidYouMean(args[0], inboundNames(loaded.Config)),
			}
		},
	}
}

func (s *session) printURL(in *inbound, public bool) error {
	if strings.Contains(in.token, "${") {
		return &failure{code: exitConfig, err: fmt.Errorf("the token of %s is %s, which is not set", in.name, in.token)}
	}
	if !public {
		s.note("server.public_url is not set: nobody outside of this machine or its network reaches this address")
	}
	if s.json {
		return s.printJSON(map[string]string{"name": in.name, "url": in.whole()})
	}
	s.out.Println(in.whole())
	return nil
}

// inbound is where a source or form is posted to.
type inbound struct {
	name  string
	base  string // public URL without a slash at its end
	path  string // /in/NAME or /f/NAME
	token string // part of the URL; a secret
}

func (in *inbound) whole() string {
	if in.token == "" {
		return in.base + in.path
	}
	return in.base + in.path + "/" + url.PathEscape(in.token)
}

func (in *inbound) masked() string {
	if in.token == "" {
		return in.base + in.path
	}
	return in.base + in.path + "/••••"
}

// inbounds lists the sources and forms in the order of the config.
func inbounds(doc *config.Config) []inbound {
	base := doc.Server.BaseURL()
	var list []inbound
	for _, source := range doc.Sources {
		token := source.Node.Get("token").Text().Value
		list = append(list, inbound{name: source.Name.Value, base: base, path: "/in/" + source.Name.Value, token: token})
	}
	for _, form := range doc.Forms {
		list = append(list, inbound{name: form.Name.Value, base: base, path: "/f/" + form.Name.Value, token: form.Node.Get("token").Text().Value})
	}
	return list
}

func inboundNames(doc *config.Config) []string {
	var names []string
	for _, in := range inbounds(doc) {
		names = append(names, in.name)
	}
	return names
}
