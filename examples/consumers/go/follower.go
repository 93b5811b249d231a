package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Record is what a follower needs of a record's value; all other fields are ignored.
type Record struct {
	Type   string          `json:"type"`
	Stream string          `json:"stream"`
	Epoch  *int64          `json:"epoch"`
	Object json.RawMessage `json:"object"`
}

type scope struct {
	partition int32
	stream    string
}

type held struct {
	epoch  int64 // of the last record that told of it
	object json.RawMessage
}

// Follower marks and sweeps, as docs/protocol.md says: per partition and per stream.
type Follower struct {
	objects map[scope]map[string]held
	newest  map[scope]int64
}

func NewFollower() *Follower {
	return &Follower{objects: map[scope]map[string]held{}, newest: map[scope]int64{}}
}

// Take returns whether the objects have changed. After an error nothing has: it was no record of the bridge's.
func (f *Follower) Take(partition int32, key, value []byte) (bool, error) {
	record, err := read(key, value)
	if err != nil {
		return false, err
	}
	at, epoch := scope{partition, record.Stream}, *record.Epoch
	if epoch < f.newest[at] {
		return false, nil // of an epoch that is over: at-least-once says things twice
	}
	f.newest[at] = epoch
	if f.objects[at] == nil {
		f.objects[at] = map[string]held{}
	}
	objects, before := f.objects[at], len(f.objects[at])
	switch record.Type {
	case "ADDED", "MODIFIED", "LISTED":
		objects[string(key)] = held{epoch, record.Object}
		return true, nil
	case "DELETED":
		delete(objects, string(key))
	case "SYNCED":
		for name, object := range objects {
			if object.epoch < epoch {
				delete(objects, name)
			}
		}
	} // RESTARTED: the old objects are served until SYNCED. PROGRESS: all up to its version has been said
	return len(objects) != before, nil
}

// State is partition -> stream -> key -> object.
func (f *Follower) State() map[string]map[string]map[string]json.RawMessage {
	found := map[string]map[string]map[string]json.RawMessage{}
	for at, objects := range f.objects {
		for name, object := range objects {
			partition := strconv.Itoa(int(at.partition))
			if found[partition] == nil {
				found[partition] = map[string]map[string]json.RawMessage{}
			}
			if found[partition][at.stream] == nil {
				found[partition][at.stream] = map[string]json.RawMessage{}
			}
			found[partition][at.stream][name] = object.object
		}
	}
	return found
}

func read(key, value []byte) (record Record, err error) {
	if !utf8.Valid(key) || !utf8.Valid(value) {
		return record, errors.New("not UTF-8")
	}
	if err = json.Unmarshal(value, &record); err != nil {
		return record, fmt.Errorf("no record of the bridge's: %w", err)
	}
	if record.Stream == "" || record.Epoch == nil {
		return record, errors.New("no record of the bridge's: no stream, or no epoch")
	}
	isObject := bytes.HasPrefix(bytes.TrimSpace(record.Object), []byte("{"))
	switch record.Type {
	case "RESTARTED", "SYNCED", "PROGRESS":
		return record, nil
	case "ADDED", "MODIFIED", "LISTED", "DELETED":
		if !strings.Contains(string(key), "/") || !(isObject || record.Type == "DELETED") {
			return record, fmt.Errorf("a change of no object, key %q", key)
		}
		return record, nil
	}
	return record, fmt.Errorf("of unknown type %q", record.Type)
}
