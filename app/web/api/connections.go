package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"hookgate/internal/diag"
	"hookgate/internal/event"
	"hookgate/internal/yamlnode"
)

// Keeper looks after connections.
type Keeper interface {
	Connections(ctx context.Context) ([]Connection, error)
	// SwitchConnection pauses a connection or lets it go on: event.ErrNotFound
	// where there is none.
	SetPauseState(ctx context.Context, s event.PauseState) (Connection, error)
	TestConnection(ctx context.Context, name string, confirmed bool) (Tested, error)
}

// Connection is how a connection is and has been.
type Connection struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	State string `json:"state"` // ok, failing, open, paused
	// Paused tells who paused it; Releasing at what rate what was held is sent.
	Paused    *Pause `json:"paused,omitempty"`
	Releasing string `json:"releasing,omitempty"`
	Waiting   int    `json:"waiting"` // to be sent, or sent again
	Sending   int    `json:"sending"` // claimed by a process
	Held      int    `json:"held"`    // until it goes on
	Failed    int    `json:"failed"`  // of the last day
	// Hour and Day are attempts of all processes; the day began at Since.
	Hour        Window     `json:"hour"`
	Day         Window     `json:"day"`
	Since       time.Time  `json:"since"`
	LastError   string     `json:"last_error,omitempty"`
	LastErrorAt *time.Time `json:"last_error_at,omitempty"`
	Timeout     string     `json:"timeout"`
	Concurrency int        `json:"concurrency"`
	RateLimit   string     `json:"rate_limit,omitempty"`
	Rules       []string   `json:"rules"` // that send to it
}

// Pause says since when a connection is paused, by whom and why.
type Pause struct {
	Since time.Time `json:"since"`
	By    string    `json:"by"`
	Note  string    `json:"note,omitempty"`
}

// Window counts attempts.
type Window struct {
	Attempts int     `json:"attempts"`
	Failed   int     `json:"failed"`
	P95MS    float64 `json:"p95_ms,omitempty"`
}

// Tested is what came of trying a connection.
type Tested struct {
	Untestable bool   `json:"untestable,omitempty"` // its kind has no test
	What       string `json:"what,omitempty"`       // what is, or would be, done
	Message    bool   `json:"message"`              // somebody gets a message
	Done       bool   `json:"done"`                 // false: confirm it first
	OK         bool   `json:"ok"`
	Status     int    `json:"status,omitempty"`
	Said       string `json:"said,omitempty"` // what the answer means
	Answer     string `json:"answer,omitempty"`
	// Outputs are what a delivery with that answer would keep: id, url.
	Outputs    map[string]string `json:"outputs,omitempty"`
	Error      string            `json:"error,omitempty"`
	DurationMS float64           `json:"duration_ms,omitempty"`
}

// SwitchRequest is the body of a pause or resumption; it may be left out.
type SwitchRequest struct {
	Note string `json:"note,omitempty"`
	Rate string `json:"rate,omitempty"` // such as 5/s, for what was held
}

// TestRequest is the body of a test; it may be left out.
type TestRequest struct {
	Confirm bool `json:"confirm"`
}

// connections answers GET /connections.
func (h *handler) connections(c *fiber.Ctx) error {
	list, err := h.connectionList(c)
	if err != nil {
		return err
	}
	return c.JSON(Page[Connection]{Items: list})
}

func (h *handler) connectionList(c *fiber.Ctx) ([]Connection, error) {
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	list, err := h.service.Connections(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the connections: %w", err)
	}
	return list, nil
}

// connection answers GET /connections/:name.
func (h *handler) connection(c *fiber.Ctx) error {
	list, err := h.connectionList(c)
	if err != nil {
		return err
	}
	name := c.Params("name")
	i := slices.IndexFunc(list, func(one Connection) bool { return one.Name == name })
	if i < 0 {
		return h.noConnection(c, name)
	}
	return c.JSON(list[i])
}

// noConnection names the one that may be meant.
func (h *handler) noConnection(c *fiber.Ctx, name string) error {
	list, err := h.connectionList(c)
	if err != nil {
		return err
	}
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	message := fmt.Sprintf("no connection is called %q", name)
	if hint := diag.DidYouMean(name, names); hint != "" {
		message += ": " + hint
	}
	return &noRecord{message}
}

// pause answers POST /connections/:name/pause.
func (h *handler) pause(c *fiber.Ctx) error {
	return h.switchTo(c, true)
}

// resume answers POST /connections/:name/resume.
func (h *handler) resume(c *fiber.Ctx) error {
	return h.switchTo(c, false)
}

// maxNote bounds why somebody pauses a connection, in bytes.
const maxNote = 500

func (h *handler) switchTo(c *fiber.Ctx, paused bool) error {
	var asked SwitchRequest
	if err := optionalBody(c, &asked); err != nil {
		return err
	}
	s := event.PauseState{Connection: string([]byte(c.Params("name"))), Paused: paused, By: who(c), Note: asked.Note}
	if len(s.Note) > maxNote {
		return &badRequest{fmt.Sprintf("the note is longer than %d bytes", maxNote)}
	}
	if asked.Rate != "" {
		var rate yamlnode.Rate
		err := rate.UnmarshalText([]byte(asked.Rate))
		switch {
		case paused:
			return &badRequest{"a rate is for what is held: it goes with resume"}
		case err != nil:
			return &badRequest{fmt.Sprintf("rate=%s: %s", asked.Rate, err)}
		}
		s.Count, s.Per = rate.Count, rate.Per
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readTimeout)
	defer cancel()
	now, err := h.service.SetPauseState(ctx, s)
	if isMissing(err) {
		return h.noConnection(c, s.Connection)
	}
	if err != nil {
		return fmt.Errorf("cannot switch %s: %w", s.Connection, err)
	}
	return c.JSON(now)
}

// testTimeout is longer than the longest attempt may take.
const testTimeout = 11 * time.Minute

// testConnection answers POST /connections/:name/test. Without confirm it does
// not send a message, and says in Done that it did not.
func (h *handler) testConnection(c *fiber.Ctx) error {
	var asked TestRequest
	if err := optionalBody(c, &asked); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), testTimeout)
	defer cancel()
	name := string([]byte(c.Params("name")))
	tested, err := h.service.TestConnection(ctx, name, asked.Confirm)
	if isMissing(err) {
		return h.noConnection(c, name)
	}
	if err != nil {
		return fmt.Errorf("cannot test %s: %w", name, err)
	}
	return c.JSON(tested)
}

// optionalBody reads the body of an action; none stands for the usual.
func optionalBody(c *fiber.Ctx, into any) error {
	body := c.BodyRaw()
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &badRequest{"the body is not understood: " + err.Error()}
	}
	return nil
}

// UserKey is under which the login leaves the name of the user.
const UserKey = "hookgate.user"

// who calls: the admin's name, or local for whoever may open the socket.
func who(c *fiber.Ctx) string {
	if name, ok := c.Locals(UserKey).(string); ok && name != "" {
		return name
	}
	return "local"
}
