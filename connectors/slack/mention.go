package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"hookgate/connectors"
	"hookgate/internal/event"
)

// maxMentions bounds the look-ups of one message.
const maxMentions = 20

// mention puts the people whose addresses the message names before it. One
// whom Slack does not know is named by the address.
func (s *connector) mention(parent, ctx context.Context, msg *message) (event.Receipt, error) {
	if len(msg.Mention) == 0 {
		return event.Receipt{}, nil
	}
	addresses, err := connectors.AddressTexts("mention", msg.Mention)
	if err != nil || len(addresses) > maxMentions {
		if err == nil {
			err = fmt.Errorf("mention names %d people, %d are the most", len(addresses), maxMentions)
		}
		return event.Receipt{}, connectors.Permanent(err)
	}
	var names strings.Builder
	for _, address := range addresses {
		if parsed, err := connectors.ParseAddress(address); err == nil && parsed.Name != "" {
			address = parsed.Address // Slack is asked without the name
		}
		name, receipt, err := s.userOf(parent, ctx, address)
		if err != nil {
			return receipt, err
		}
		names.WriteString(name + " ")
	}
	msg.prefix(names.String())
	return event.Receipt{}, nil
}

// userOf is how Slack mentions the person with an address.
func (s *connector) userOf(parent, ctx context.Context, address string) (string, event.Receipt, error) {
	if name, known := s.people.get(address, s.deps.Now()); known {
		return name, event.Receipt{}, nil
	}
	call := s.newCall()
	user, err := call.api.GetUserByEmailContext(ctx, address)
	receipt, err := s.judge(parent, ctx, call, err)
	said, refused := errors.AsType[*refusal](err)
	name := connectors.EscapeAngles(address)
	switch {
	case refused && said.code == "users_not_found":
	case err != nil:
		return "", receipt, err
	default:
		name = "<@" + user.ID + ">"
	}
	s.people.put(address, name, s.deps.Now())
	return name, receipt, nil
}

// prefix puts names before the text, and before the blocks, of which Slack
// shows those in place of the text.
func (m *message) prefix(names string) {
	if names == "" {
		return
	}
	m.Text = names + m.Text
	if len(m.blocks) > 0 {
		block := rawBlock{"type": "section", "text": map[string]any{"type": "mrkdwn", "text": names}}
		m.blocks = append([]slack.Block{block}, m.blocks...)
	}
}

const (
	// keepPerson is how long a look-up is good for.
	keepPerson = time.Hour
	// maxPeople is how many are kept; beyond it all are forgotten.
	maxPeople = 10_000
)

// people remembers how addresses are mentioned. The zero value is ready for
// use; it is safe for concurrent use.
type people struct {
	mu    sync.Mutex
	known map[string]person
}

type person struct {
	name  string
	until time.Time
}

func (p *people) get(address string, now time.Time) (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, found := p.known[address]
	return known.name, found && now.Before(known.until)
}

func (p *people) put(address, name string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= maxPeople {
		p.known = map[string]person{}
	}
	p.known[address] = person{name, now.Add(keepPerson)}
}
