// Not needed by who copies the consumer: plays vectors, as protocol/README.md has them, to the follower, and tells -once where
// a topic ends.
package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kadm"
)

// prove returns how many vectors do not come out as they should.
func prove(directory string) (wrong int) {
	files, _ := filepath.Glob(filepath.Join(directory, "*.json"))
	for _, file := range files {
		if err := play(file); err != nil {
			fmt.Println(err)
			wrong++
		}
	}
	fmt.Printf("%d vectors in %s, %d wrong\n", len(files), directory, wrong)
	if len(files) == 0 {
		return 1
	}
	return wrong
}

func play(file string) error {
	steps, err := load(file)
	if err != nil {
		return fmt.Errorf("%s is no vector, or a part of one: %w", file, err)
	}
	follower := Follower{}
	for n, s := range steps {
		_, refusal := follower.Take(s.partition, s.key, s.value)
		var found map[string]any
		line, _ := json.Marshal(follower.State())
		_ = json.Unmarshal(line, &found)
		if (refusal != nil) != s.refused || !reflect.DeepEqual(found, s.state) {
			return fmt.Errorf("%s, step %d: refused: %v; holds %s", file, n+1, refusal, line)
		}
	}
	return nil
}

type step struct {
	partition  int32
	key, value []byte // nil: the record has none
	refused    bool
	state      map[string]any
}

func load(file string) (steps []step, err error) {
	var vector map[string]json.RawMessage
	var all []map[string]json.RawMessage
	content, err := os.ReadFile(file)
	if err == nil && !utf8.Valid(content) {
		err = errors.New("not UTF-8")
	}
	if err == nil {
		err = json.Unmarshal(content, &vector)
	}
	if err == nil {
		err = take(vector, "steps", &all)
	}
	if err == nil && len(all) == 0 {
		err = errors.New("it has no steps")
	}
	for _, fields := range all {
		if err == nil {
			var s step
			s, err = stepOf(fields)
			steps = append(steps, s)
		}
	}
	return steps, err
}

func stepOf(fields map[string]json.RawMessage) (s step, err error) {
	var key, text string
	err = cmp.Or(take(fields, "partition", &s.partition), take(fields, "state", &s.state))
	if fields["refused"] != nil {
		err = cmp.Or(err, take(fields, "refused", &s.refused))
	}
	if string(fields["key"]) != "null" {
		err = cmp.Or(err, take(fields, "key", &key))
		s.key = []byte(key)
	}
	if s.partition < 0 {
		err = errors.New("a partition below 0")
	}
	switch value := fields["value"]; {
	case fields["hex"] != nil:
		if err = cmp.Or(err, take(fields, "hex", &text)); err == nil {
			s.value, err = hex.DecodeString(text)
		}
	case fields["text"] != nil:
		err = cmp.Or(err, take(fields, "text", &text))
		s.value = []byte(text)
	case value == nil:
		err = cmp.Or(err, errors.New("a step without value"))
	case string(value) != "null":
		s.value = value
	}
	return s, err
}

// take is of the field what it must be: there, and neither null nor of another type.
func take(fields map[string]json.RawMessage, name string, into any) error {
	if value := fields[name]; value == nil || string(value) == "null" {
		return fmt.Errorf("no %s", name)
	}
	if err := json.Unmarshal(fields[name], into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// unread is, of the partitions that hold something, the offset behind the last committed record of now.
func unread(admin *kadm.Client, topic string) (map[int32]int64, error) {
	starts, err := admin.ListStartOffsets(context.Background(), topic)
	ends, also := admin.ListCommittedOffsets(context.Background(), topic)
	if err = cmp.Or(err, also, starts.Error(), ends.Error()); err != nil {
		return nil, fmt.Errorf("Kafka, topic %s: %w", topic, err)
	}
	left := map[int32]int64{}
	ends.Each(func(end kadm.ListedOffset) {
		if start, _ := starts.Lookup(topic, end.Partition); end.Offset > start.Offset {
			left[end.Partition] = end.Offset
		}
	})
	return left, nil
}
