// Not needed by who copies the consumer: plays vectors, as protocol/README.md has them, to the follower.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
)

// A vector as protocol/README.md has it.
type vector struct {
	Steps []struct {
		Partition int32
		Key       *string
		Value     json.RawMessage
		Text, Hex *string
		Refused   bool
		State     any
	}
}

// prove returns how many vectors do not come out as they should.
func prove(directory string) (wrong int) {
	files, _ := filepath.Glob(filepath.Join(directory, "*.json"))
	for _, file := range files {
		if err := play(file); err != nil {
			fmt.Println(err)
			wrong++
		}
	}
	fmt.Printf("%d vectors, %d wrong\n", len(files), wrong)
	if len(files) == 0 {
		return 1
	}
	return wrong
}

func play(file string) error {
	var v vector
	content, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(content, &v)
	}
	if err != nil || len(v.Steps) == 0 {
		return fmt.Errorf("%s is no vector, or a part of one: %v", file, err)
	}
	follower := Follower{}
	for n, step := range v.Steps {
		var key, value []byte
		if step.Key != nil {
			key = []byte(*step.Key)
		}
		if step.Text != nil {
			value = []byte(*step.Text)
		} else if step.Hex != nil {
			value, _ = hex.DecodeString(*step.Hex)
		} else if string(step.Value) != "null" {
			value = step.Value
		}
		_, refusal := follower.Take(step.Partition, key, value)
		var found any
		line, _ := json.Marshal(follower.State())
		_ = json.Unmarshal(line, &found)
		if (refusal != nil) != step.Refused || !reflect.DeepEqual(found, step.State) {
			return fmt.Errorf("%s, step %d: refused: %v; holds %s", file, n+1, refusal, line)
		}
	}
	return nil
}
