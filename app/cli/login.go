package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	xterm "github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/admin/access"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

func newLogin(s *session) *cobra.Command {
	var r admin.LoginRequest
	c := &cobra.Command{
		Use: "login", GroupID: groupAccess, Short: "Print a link that logs in to the pages, once",
		Example: `  hookgate login
  hookgate login --user ada`,
		Long: `Print a link that logs in to the pages once, within ten minutes. It needs no
password: whoever can run this on the server's machine may do everything there
anyway.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask := func(c *client.Client, ctx context.Context) (admin.LoginLink, error) { return c.LoginLink(ctx, r) }
			return answered(cmd.Context(), s, ask, func(link *admin.LoginLink) {
				s.out.Println(link.URL)
				s.note("logs in %s once, until %s", term.Clean(link.User), link.Expires.Local().Format(time.TimeOnly))
			})
		},
	}
	c.Flags().StringVar(&r.User, "user", "", "log in as this `user` of server.admin (else as its first operator)")
	return c
}

func newTokens(s *session) *cobra.Command {
	return group("tokens", groupAccess, "Let programs use the API", newTokensCreate(s), newTokensList(s), newTokensRevoke(s))
}

func newTokensCreate(s *session) *cobra.Command {
	r := admin.TokenRequest{Scope: event.ScopeRead}
	var expires string
	c := &cobra.Command{
		Use: "create NAME", Short: "Make a token, and print it this once",
		Example: `  hookgate tokens create ci
  hookgate tokens create backup --scope operate --expires 90d`,
		Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Name = args[0]
			if expires != "" {
				after, err := yamlnode.ParseDuration(expires)
				if err != nil {
					return usageError("such as 90d", fmt.Errorf("--expires: %w", err))
				}
				at := s.now().Add(after).UTC()
				r.Expires = &at
			}
			ask := func(c *client.Client, ctx context.Context) (admin.Token, error) { return c.CreateToken(ctx, r) }
			return answered(cmd.Context(), s, ask, func(t *admin.Token) {
				s.out.Println(t.Secret)
				s.note("%s, for %s; it is not shown again. Use it as HOOKGATE_TOKEN with HOOKGATE_URL", t.ID, t.Scope)
			})
		},
	}
	c.Flags().StringVar((*string)(&r.Scope), "scope", string(event.ScopeRead), "what it may do: read or operate")
	c.Flags().StringVar(&expires, "expires", "", "how long it is good for, such as 90d (else for ever)")
	return c
}

func newTokensList(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the tokens, without their secrets",
		Example: `  hookgate tokens list`,
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answered(cmd.Context(), s, (*client.Client).Tokens, func(page *admin.Page[admin.Token]) {
				if len(page.Items) == 0 {
					s.note("there are no tokens")
					return
				}
				var rows [][]string
				for _, t := range page.Items {
					rows = append(rows, []string{t.ID.String(), term.Clean(t.Name), string(t.Scope), t.Created.Local().Format(time.DateTime), s.moment(t.Expires, "never"), s.moment(t.Used, "never")})
				}
				s.out.Printf("%s", s.out.Table([]string{"ID", "NAME", "SCOPE", "CREATED", "EXPIRES", "USED"}, rows))
			})
		},
	}
}

// moment writes an optional time.
func (s *session) moment(at *time.Time, none string) string {
	switch {
	case at == nil:
		return none
	case at.Before(s.now()):
		return s.out.Dim.Render(at.Local().Format(time.DateTime))
	}
	return at.Local().Format(time.DateTime)
}

func newTokensRevoke(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "End a token, at once",
		Example: `  hookgate tokens revoke aud_5b472vy9rt00`,
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var id event.AuditID
			if err := id.UnmarshalText([]byte(args[0])); err != nil {
				return usageError("hookgate tokens list shows them", fmt.Errorf("%q is no id of a token: they begin with aud_", args[0]))
			}
			ask := func(c *client.Client, ctx context.Context) (admin.Token, error) { return c.RevokeToken(ctx, id) }
			return answered(cmd.Context(), s, ask, func(*admin.Token) { s.note("%s is revoked", id) })
		},
	}
}

func newPasswd(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "passwd", GroupID: groupAccess, Short: "Make the password_hash of a user of server.admin",
		Example: `  hookgate passwd
  printf %s "$PASSWORD" | hookgate passwd`,
		Long: `Ask for a password, or read one line from standard input, and print its argon2id
hash, as a user in server.admin.users has it.`,
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			password, err := s.readPassword()
			if err != nil {
				return err
			}
			if len([]rune(password)) < weakestPassword {
				return usageError("", fmt.Errorf("a password needs %d characters", weakestPassword))
			}
			hash, err := access.HashPassword(password)
			if err != nil {
				return err
			}
			if s.json {
				return s.printJSON(map[string]string{"password_hash": hash})
			}
			s.out.Println(hash)
			return nil
		},
	}
}

// weakestPassword is how many characters a new password needs.
const weakestPassword = 8

// readPassword asks twice, unseen, where there is a terminal.
func (s *session) readPassword() (string, error) {
	if !s.interactive() {
		line, err := bufio.NewReader(s.stdin).ReadString('\n')
		if err != nil && line == "" {
			return "", usageError("", errors.New("there is no password on standard input"))
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	in, _ := s.stdin.(xterm.File)
	ask := func(question string) (string, error) {
		s.msg.Printf("%s", question)
		typed, err := xterm.ReadPassword(in.Fd())
		s.msg.Println()
		return string(typed), err
	}
	password, err := ask("Password: ")
	if err != nil {
		return "", err
	}
	again, err := ask("Once more: ")
	if err != nil {
		return "", err
	}
	if password != again {
		return "", usageError("", errors.New("the two are not the same"))
	}
	return password, nil
}
