package cli

import (
	"context"
	"errors"
	"io/fs"

	"hookgate/app"
	"hookgate/app/config"
	"hookgate/app/web/api/client"
)

// connect gives the client of the running server: the one that HOOKGATE_URL
// names, or else the one of the config, through the socket beside its database.
func (s *session) connect() (*client.Client, error) {
	if url, _ := s.env("HOOKGATE_URL"); url != "" {
		return s.remote(url)
	}
	path, err := s.findConfig()
	if err != nil {
		return nil, err
	}
	// What is wrong in the rest of the file does not matter here: the server
	// that runs may have an older one.
	doc, report := config.LoadStorage(path, s.env)
	if doc == nil {
		return nil, s.configFailure(report)
	}
	return client.Unix(app.SocketPath(doc)), nil
}

// remote gives the client of the server at url: with the token HOOKGATE_TOKEN,
// or as the user of HOOKGATE_LOGIN.
func (s *session) remote(url string) (*client.Client, error) {
	token, _ := s.env("HOOKGATE_TOKEN")
	login, _ := s.env("HOOKGATE_LOGIN")
	var c *client.Client
	var err error
	switch {
	case token != "" && login != "":
		err = errors.New("both HOOKGATE_TOKEN and HOOKGATE_LOGIN are set")
	case token != "":
		c, err = client.RemoteToken(url, token)
	default:
		c, err = client.Remote(url, login)
	}
	if err != nil {
		return nil, usageError("HOOKGATE_URL is the server's URL; beside it, set HOOKGATE_TOKEN, or HOOKGATE_LOGIN to user:password", err)
	}
	return c, nil
}

// answered asks the running server, and prints what it answers: as JSON, or by
// show for people.
func answered[T any](ctx context.Context, s *session, ask func(*client.Client, context.Context) (T, error), show func(*T)) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	answer, err := ask(server, ctx)
	if err != nil {
		return serverError(err)
	}
	if s.json {
		return s.printJSON(answer)
	}
	show(&answer)
	return nil
}

// findConfig gives the path of the config file.
func (s *session) findConfig() (string, error) {
	path, err := config.Find(s.file, s.env)
	if err != nil {
		return "", &failure{code: exitConfig, err: err, hint: "hookgate demo needs none"}
	}
	return path, nil
}

// serverError gives an error of the client its exit status.
func serverError(err error) error {
	var problem *client.Problem
	switch {
	case errors.Is(err, client.ErrUnreachable) && errors.Is(err, fs.ErrPermission):
		return &failure{code: exitUnreachable, err: err, hint: "the socket is for the user whom the server runs as: use sudo -u, or HOOKGATE_URL and HOOKGATE_TOKEN or HOOKGATE_LOGIN"}
	case errors.Is(err, client.ErrUnreachable):
		return &failure{code: exitUnreachable, err: err, hint: "is hookgate serve running with this config?"}
	case errors.Is(err, client.ErrLogin):
		return &failure{code: exitUnreachable, err: err, hint: "HOOKGATE_LOGIN is user:password of server.admin, HOOKGATE_TOKEN what hookgate tokens create printed"}
	case errors.Is(err, client.ErrNotFound):
		return &failure{code: exitNotFound, err: err}
	case errors.Is(err, context.Canceled):
		return &failure{code: exitInterrupted, err: errors.New("interrupted")}
	case errors.As(err, &problem):
		f := &failure{code: exitFailed, err: problem}
		if problem.ID != "" {
			f.hint = "kept; hookgate events show " + problem.ID
		}
		return f
	}
	return &failure{code: exitFailed, err: err}
}
