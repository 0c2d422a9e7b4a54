package config

import (
	"slices"
	"strings"

	"hookgate/app/admin/access"
	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// weakPassword is the length in characters below which a password is warned of.
const weakPassword = 12

// Admin is who may use the pages and the administration API: one operator with
// user and password, a list of users, or both.
type Admin struct {
	User     string       `yaml:"user" doc:"The name of an operator to log in with." example:"team"`
	Password event.Secret `yaml:"password" doc:"The password of that operator; it comes from the environment." example:"${HOOKGATE_ADMIN_PASSWORD}"`
	Users    []AdminUser  `yaml:"users" doc:"People who log in with a name of their own."`
	OIDC     *OIDC        `yaml:"oidc" doc:"An OpenID Connect provider, such as Google, Entra, Okta or Keycloak, at which people log in."`
}

// AdminUser is one of several people who may log in.
type AdminUser struct {
	Name         yamlnode.Text `yaml:"name,required" doc:"The name to log in with." example:"ada"`
	PasswordHash event.Secret  `yaml:"password_hash,required" doc:"The hash of the password, as hookgate passwd prints it." example:"${ADA_PASSWORD_HASH}"`
	Role         yamlnode.Text `yaml:"role" doc:"A viewer sees everything and changes nothing; an operator retries, pauses, sends, reloads and deletes." values:"viewer,operator" default:"operator"`
}

// Noun is what messages call it.
func (Admin) Noun() string { return "admin" }

// Noun is what messages call it.
func (AdminUser) Noun() string { return "a user" }

// KeyHint helps those who write the password itself.
func (AdminUser) KeyHint(key string) string {
	switch key {
	case "password":
		return "write password_hash: hookgate passwd makes one"
	case "user":
		return `did you mean "name"?`
	}
	return ""
}

// Access is who may log in; nobody where a is nil.
func (a *Admin) Access() access.People {
	if a == nil {
		return access.People{}
	}
	var list []access.User
	if a.User != "" {
		list = append(list, access.User{Name: a.User, Role: access.Operator, Password: a.Password})
	}
	for _, u := range a.Users {
		role := access.Operator
		if u.Role.Value != "" {
			role = access.Role(u.Role.Value)
		}
		list = append(list, access.User{Name: u.Name.Value, Role: role, Hash: u.PasswordHash.Reveal()})
	}
	return access.People{Users: list, Provider: a.OIDC.provider()}
}

// check says what is wrong with who may log in; a may be nil.
func (a *Admin) check(n yamlnode.Node) diag.List {
	if a == nil {
		return nil
	}
	user, password, users := n.Get("user"), n.Get("password"), n.Get("users")
	switch {
	case user.IsZero() && password.IsZero() && users.IsZero() && n.Get("oidc").IsZero():
		return diag.List{n.Diag("missing-key", "write user and password, users or oidc", `"admin" lets nobody in: it has neither "user" nor "users" nor "oidc"`)}
	case user.IsZero() && !password.IsZero():
		return diag.List{n.Diag("missing-key", "", `"admin" needs "user" beside "password"`)}
	case password.IsZero() && !user.IsZero():
		return diag.List{n.Diag("missing-key", "", `"admin" needs "password" beside "user"`)}
	}
	return slices.Concat(a.checkPassword(user, password), a.checkUsers(user, users), a.OIDC.check(n.Get("oidc")))
}

func (a *Admin) checkPassword(user, password yamlnode.Node) diag.List {
	var list diag.List
	if user.Kind() == yamlnode.Scalar {
		list = append(list, userName(user, "user", a.User)...)
	}
	if password.Kind() != yamlnode.Scalar {
		return list
	}
	if a.Password.IsZero() {
		return append(list, password.Diag("bad-value", "", `"password" must not be empty`))
	}
	if len([]rune(a.Password.Reveal())) < weakPassword {
		list = append(list, password.Diag("weak-password", "make one: openssl rand -base64 18", "the password has fewer than %d characters", weakPassword).Weigh(diag.Warning))
	}
	return list
}

func (a *Admin) checkUsers(user, users yamlnode.Node) diag.List {
	var list diag.List
	seen := map[string]bool{}
	if !user.IsZero() {
		seen[a.User] = true
	}
	items := users.Items()
	for i, u := range a.Users {
		if u.Name.IsZero() || i >= len(items) {
			continue // said by the decoder
		}
		n := items[i]
		list = append(list, userName(n.Get("name"), "name", u.Name.Value)...)
		if seen[u.Name.Value] {
			list = append(list, n.Get("name").Diag("duplicate", "", "another user is called %q", u.Name.Value))
		}
		seen[u.Name.Value] = true
		if hash := n.Get("password_hash"); hash.Kind() == yamlnode.Scalar {
			if err := access.CheckHash(u.PasswordHash.Reveal()); err != nil {
				list = append(list, hash.Diag("bad-value", "make one: hookgate passwd", `"password_hash" can't be used: %v`, err))
			}
		}
	}
	return list
}

// userName says what is wrong with a name to log in with. HTTP basic has no
// colon in it (RFC 7617, section 2).
func userName(n yamlnode.Node, key, name string) diag.List {
	if strings.TrimSpace(name) == "" || strings.ContainsAny(name, ":\r\n") {
		return diag.List{n.Diag("bad-value", "", `"%s" must not be empty, nor hold a colon`, key)}
	}
	return nil
}
