package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"hookgate/connectors"
	"hookgate/internal/event"
)

// keyLocks lets one delivery at a time work with a key. The zero value is
// ready for use.
type keyLocks struct {
	mu   sync.Mutex
	held map[string]chan struct{} // closed when the key is free again
}

// lock waits for key until ctx ends.
func (l *keyLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	for {
		l.mu.Lock()
		busy, taken := l.held[key]
		if !taken {
			if l.held == nil {
				l.held = map[string]chan struct{}{}
			}
			free := make(chan struct{})
			l.held[key] = free
			l.mu.Unlock()
			return func() {
				l.mu.Lock()
				defer l.mu.Unlock()
				delete(l.held, key)
				close(free)
			}, nil
		}
		l.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// posted is where a message of a key is, as it is remembered.
type posted struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// outputs are what is told of a message to those who want to find it: its ts,
// which names it in its channel.
func (p posted) outputs() map[string]string {
	out := map[string]string{}
	if p.TS != "" {
		out["id"] = p.TS
	}
	if p.Channel != "" {
		out["channel"] = p.Channel
	}
	return out
}

// deliverKeyed posts the first message of a key and remembers it. A later one
// answers in its thread, or takes its place. It says in at where it is.
func (s *connector) deliverKeyed(parent, ctx context.Context, msg *message, at *posted) (event.Receipt, error) {
	key := "message " + cmp.Or(msg.Update, msg.ThreadKey)
	unlock, err := s.keys.lock(ctx, key)
	if err != nil {
		return event.Receipt{}, connectors.AttemptError(parent, ctx, err, s.deps.Timeout)
	}
	defer unlock()
	first, found, release, err := s.firstOf(ctx, key)
	if err != nil && ctx.Err() == nil {
		return event.Receipt{}, err
	}
	if err != nil {
		return event.Receipt{}, connectors.AttemptError(parent, ctx, err, s.deps.Timeout)
	}
	defer release()
	switch {
	case found && msg.Update != "":
		receipt, err := s.update(parent, ctx, msg, first)
		if !gone(err) {
			*at = first
			return receipt, err
		}
		// The message was deleted, or can no longer be changed: a new one.
	case found && msg.ThreadTS == "":
		msg.Channel, msg.ThreadTS = first.Channel, first.TS
		return s.post(parent, ctx, msg, at)
	}
	receipt, err := s.post(parent, ctx, msg, at)
	if err != nil || at.TS == "" {
		return receipt, err
	}
	value, err := json.Marshal(at)
	if err == nil {
		err = s.deps.Memory.Put(ctx, key, string(value))
	}
	if err != nil { // it is posted: to fail now would post it again
		s.deps.Logger.WarnContext(ctx, "a message's place could not be kept: the next of its key will not find it", "error", err)
	}
	return receipt, nil
}

// claimGrace is how much longer than an attempt its claim of a key lasts, and
// claimLook how often one who waits for it looks.
const (
	claimGrace = 5 * time.Second
	claimLook  = 100 * time.Millisecond
)

// firstOf is where the first message of key is. If there is none it is this
// attempt's to post, until release is called: another replica that has one of
// the same key waits, and finds it.
func (s *connector) firstOf(ctx context.Context, key string) (first posted, found bool, release func(), err error) {
	for {
		first, found, err := s.recall(ctx, key)
		if err != nil || found {
			return first, found, func() {}, err
		}
		release, err := s.deps.Memory.Claim(ctx, key, s.deps.Timeout+claimGrace)
		if err != nil {
			return first, false, func() {}, err
		}
		if release != nil { // it may have been posted since the look
			first, found, err = s.recall(ctx, key)
			if err != nil {
				release()
			}
			return first, found, release, err
		}
		select {
		case <-time.After(claimLook):
		case <-ctx.Done():
			return first, false, func() {}, ctx.Err()
		}
	}
}

func (s *connector) recall(ctx context.Context, key string) (posted, bool, error) {
	value, found, err := s.deps.Memory.Get(ctx, key)
	if err != nil || !found {
		return posted{}, false, err
	}
	var at posted
	readable := json.Unmarshal([]byte(value), &at) == nil && at.TS != ""
	return at, readable, nil // what cannot be read is as good as forgotten
}

// update puts msg in the place of an earlier message.
func (s *connector) update(parent, ctx context.Context, msg *message, at posted) (event.Receipt, error) {
	call := s.newCall()
	_, _, _, err := call.api.UpdateMessageContext(ctx, at.Channel, at.TS, msg.options()...)
	receipt, err := s.judge(parent, ctx, call, err)
	if err == nil {
		receipt.Outputs = event.TextOutputs(s.secrets.Texts(at.outputs()))
	}
	return receipt, err
}

// gone reports whether Slack says that a message cannot be changed, now or ever.
func gone(err error) bool {
	said, ok := errors.AsType[*refusal](err)
	if !ok {
		return false
	}
	switch said.code {
	case "message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found":
		return true
	}
	return false
}
