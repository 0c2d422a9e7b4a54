package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"hookgate/internal/event"
)

// AddSession keeps a session.
func (s *Store) AddSession(e event.Session) error {
	fingerprint := append([]byte{}, e.Fingerprint...) // where there is none it is empty, not NULL
	err := s.write(func(tx tx) error {
		return tx.exec(`INSERT INTO sessions (hash, who, identity, fingerprint, created, seen, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
			e.Hash, e.User, string(e.Identity), fingerprint, micros(e.Created), micros(e.Seen), micros(e.Expires))
	})
	if err != nil {
		return fmt.Errorf("keep a session: %w", err)
	}
	return nil
}

// Session is the one with this hash: event.ErrNotFound where there is none.
// Whether its time is over is for the caller to say.
func (s *Store) Session(ctx context.Context, hash []byte) (event.Session, error) {
	e := event.Session{Hash: hash}
	var created, seen, expires int64
	err := s.read.QueryRowContext(ctx, `SELECT who, identity, fingerprint, created, seen, expires FROM sessions WHERE hash = ?1`, hash).Scan(&e.User, &e.Identity, &e.Fingerprint, &created, &seen, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return e, event.ErrNotFound
	}
	if err != nil {
		return e, fmt.Errorf("read a session: %w", err)
	}
	e.Created, e.Seen, e.Expires = fromMicros(created), fromMicros(seen), fromMicros(expires)
	return e, nil
}

// SessionSeen notes that a session was used at a time, and is good until expires.
func (s *Store) SessionSeen(hash []byte, seen, expires time.Time) error {
	err := s.write(func(tx tx) error {
		return tx.exec(`UPDATE sessions SET seen = ?2, expires = ?3 WHERE hash = ?1`, hash, micros(seen), micros(expires))
	})
	if err != nil {
		return fmt.Errorf("note a session: %w", err)
	}
	return nil
}

// EndSession ends one session.
func (s *Store) EndSession(hash []byte) error {
	err := s.write(func(tx tx) error { return tx.exec(`DELETE FROM sessions WHERE hash = ?1`, hash) })
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// EndSessions ends all sessions of a user.
func (s *Store) EndSessions(user string) error {
	err := s.write(func(tx tx) error { return tx.exec(`DELETE FROM sessions WHERE who = ?1`, user) })
	if err != nil {
		return fmt.Errorf("end the sessions of %s: %w", user, err)
	}
	return nil
}

// AddLoginLink keeps a link that logs user in once, until expires.
func (s *Store) AddLoginLink(hash []byte, user string, expires time.Time) error {
	err := s.write(func(tx tx) error {
		return tx.exec(`INSERT INTO login_links (hash, who, expires, used) VALUES (?1, ?2, ?3, 0)`, hash, user, micros(expires))
	})
	if err != nil {
		return fmt.Errorf("keep a login link: %w", err)
	}
	return nil
}

// UseLoginLink takes a link's one use: of two calls, also on two replicas, one
// gets the user. event.ErrUsed says that it was used or that its time is over,
// event.ErrNotFound that there is no such link.
func (s *Store) UseLoginLink(ctx context.Context, hash []byte, now time.Time) (user string, err error) {
	err = s.write(func(tx tx) error {
		user = ""
		return tx.query(func(row []any) error { user = row[0].(string); return nil },
			`UPDATE login_links SET used = 1 WHERE hash = ?1 AND used = 0 AND expires > ?2 RETURNING who`, hash, micros(now))
	})
	if err != nil {
		return "", fmt.Errorf("use a login link: %w", err)
	}
	if user != "" {
		return user, nil
	}
	var known int
	err = s.read.QueryRowContext(ctx, `SELECT 1 FROM login_links WHERE hash = ?1`, hash).Scan(&known)
	if errors.Is(err, sql.ErrNoRows) {
		return "", event.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read a login link: %w", err)
	}
	return "", event.ErrUsed
}

// AddToken keeps a token.
func (s *Store) AddToken(t event.Token) error {
	err := s.write(func(tx tx) error {
		return tx.exec(`INSERT INTO tokens (id, name, scope, hash, expires, used) VALUES (?1, ?2, ?3, ?4, ?5, 0)`,
			int64(t.ID), t.Name, string(t.Scope), t.Hash, optionalMicros(t.Expires))
	})
	if err != nil {
		return fmt.Errorf("keep the token %s: %w", t.Name, err)
	}
	return nil
}

const tokenColumns = `SELECT id, name, scope, hash, expires, used FROM tokens` //nolint:gosec // a query, no secret

// TokenOf is the token with this hash: event.ErrNotFound where there is none.
func (s *Store) TokenOf(ctx context.Context, hash []byte) (event.Token, error) {
	list, err := s.tokens(ctx, tokenColumns+` WHERE hash = ?1`, hash)
	if err != nil {
		return event.Token{}, err
	}
	if len(list) == 0 {
		return event.Token{}, event.ErrNotFound
	}
	return list[0], nil
}

// Tokens are all tokens, the newest first.
func (s *Store) Tokens(ctx context.Context) ([]event.Token, error) {
	return s.tokens(ctx, tokenColumns+` ORDER BY id DESC`)
}

func (s *Store) tokens(ctx context.Context, query string, args ...any) ([]event.Token, error) {
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []event.Token
	for rows.Next() {
		var t event.Token
		var id, expires, used int64
		var scope string
		if err := rows.Scan(&id, &t.Name, &scope, &t.Hash, &expires, &used); err != nil {
			return nil, fmt.Errorf("read tokens: %w", err)
		}
		t.ID, t.Scope = event.AuditID(id), event.Scope(scope)
		t.Expires, t.Used = optionalTime(expires), optionalTime(used)
		list = append(list, t)
	}
	return list, rows.Err()
}

// TokenUsed notes when a token was used.
func (s *Store) TokenUsed(id event.AuditID, at time.Time) error {
	err := s.write(func(tx tx) error { return tx.exec(`UPDATE tokens SET used = ?2 WHERE id = ?1`, int64(id), micros(at)) })
	if err != nil {
		return fmt.Errorf("note the use of a token: %w", err)
	}
	return nil
}

// RevokeToken ends a token, by its id: event.ErrNotFound where there is none.
func (s *Store) RevokeToken(id event.AuditID) error {
	found := false
	err := s.write(func(tx tx) error {
		found = false
		return tx.query(func([]any) error { found = true; return nil }, `DELETE FROM tokens WHERE id = ?1 RETURNING id`, int64(id))
	})
	if err != nil {
		return fmt.Errorf("revoke a token: %w", err)
	}
	if !found {
		return event.ErrNotFound
	}
	return nil
}

// PruneAccess deletes sessions and links whose time is over. A used link is
// kept for a day, so that who follows it twice is told why it does not work.
func (s *Store) PruneAccess(now time.Time) error {
	err := s.write(func(tx tx) error {
		if err := tx.exec(`DELETE FROM sessions WHERE expires < ?1`, micros(now)); err != nil {
			return err
		}
		return tx.exec(`DELETE FROM login_links WHERE expires < ?1`, micros(now.Add(-24*time.Hour)))
	})
	if err != nil {
		return fmt.Errorf("delete what logins left: %w", err)
	}
	return nil
}

func fromMicros(t int64) time.Time { return time.UnixMicro(t).UTC() }

// optionalMicros writes the zero time as 0.
func optionalMicros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return micros(t)
}

func optionalTime(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return fromMicros(t)
}
