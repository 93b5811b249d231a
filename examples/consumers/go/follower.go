package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Record is what a follower needs of a record's value; all other fields are ignored.
type Record struct {
	Type, Stream string
	Epoch        int64
	Object       json.RawMessage
}

type scope struct {
	partition int32
	stream    string
}

type held struct {
	epoch  int64 // of the last record that told of it
	object json.RawMessage
}

type followed struct {
	newest  int64 // epoch
	objects map[string]held
}

// Follower marks and sweeps, as docs/protocol.md says: per partition and per stream.
type Follower map[scope]*followed

// Take returns whether the objects have changed. After an error nothing has: it was no record of the bridge's.
func (f Follower) Take(partition int32, key, value []byte) (bool, error) {
	record, err := read(key, value)
	if err != nil {
		return false, err
	}
	at, epoch := scope{partition, record.Stream}, record.Epoch
	if f[at] == nil {
		f[at] = &followed{objects: map[string]held{}}
	}
	if epoch < f[at].newest {
		return false, nil // of an epoch that is over: at-least-once says things twice
	}
	f[at].newest = epoch
	objects, before := f[at].objects, len(f[at].objects)
	switch record.Type {
	case "ADDED", "MODIFIED", "LISTED":
		objects[string(key)] = held{epoch, record.Object}
		return true, nil
	case "DELETED":
		delete(objects, string(key))
	case "SYNCED":
		maps.DeleteFunc(objects, func(_ string, object held) bool { return object.epoch < epoch })
	} // RESTARTED: the old objects are served until SYNCED. PROGRESS: all up to its version has been said
	return len(objects) != before, nil
}

// State is partition -> stream -> key -> object.
func (f Follower) State() map[int32]map[string]map[string]json.RawMessage {
	found := map[int32]map[string]map[string]json.RawMessage{}
	for at, mine := range f {
		for name, object := range mine.objects {
			if found[at.partition] == nil {
				found[at.partition] = map[string]map[string]json.RawMessage{}
			}
			if found[at.partition][at.stream] == nil {
				found[at.partition][at.stream] = map[string]json.RawMessage{}
			}
			found[at.partition][at.stream][name] = object.object
		}
	}
	return found
}

// read goes by the exact names of fields: given a struct, encoding/json would take "Epoch" for "epoch" too.
func read(key, value []byte) (record Record, err error) {
	var fields map[string]json.RawMessage
	if err = json.Unmarshal(value, &fields); err != nil {
		return record, fmt.Errorf("no record of the bridge's: %w", err)
	}
	_ = json.Unmarshal(fields["type"], &record.Type) // what cannot be taken stays empty, and is refused as that
	_ = json.Unmarshal(fields["stream"], &record.Stream)
	epoch, err := strconv.ParseUint(string(fields["epoch"]), 10, 53) // a greater one would end the stream for ever
	record.Epoch, record.Object = int64(epoch), fields["object"]
	place := utf8.Valid(key) && bytes.IndexByte(key, '/') > 0 && key[len(key)-1] != '/'
	marker := slices.Contains([]string{"RESTARTED", "SYNCED", "PROGRESS"}, record.Type)
	seen := slices.Contains([]string{"ADDED", "MODIFIED", "LISTED"}, record.Type)
	switch {
	case !utf8.Valid(value):
		err = errors.New("not UTF-8")
	case record.Stream == "" || err != nil:
		err = errors.New("no record of the bridge's: no stream, or no epoch")
	case !marker && !seen && record.Type != "DELETED":
		err = fmt.Errorf("of unknown type %q", record.Type)
	case !marker && !place, seen && !bytes.HasPrefix(record.Object, []byte("{")):
		err = fmt.Errorf("a change of no object, key %q", key)
	}
	return record, err
}
