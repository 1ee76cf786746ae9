package acp

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sketch-ide/sketch-ide/jsonrpc"
)

func TestContent(t *testing.T) {
	t.Parallel()
	x := NewServer(Config{Backend: newBackend()}).adopt(jsonrpc.Session{Name: "s", Folder: "/home/ada/shop"})
	for blocks, want := range map[string]string{
		`{"type":"text","text":"see:"},{"type":"resource_link","uri":"file:///home/ada/shop/a.go"},{"type":"text","text":", please"}`: `"text":"see: @a.go, please"}`,
		`{"type":"text","text":"("},{"type":"resource_link","uri":"file:///home/ada/shop/a%C3%A9.go"},{"type":"text","text":")"}`:     `"text":"(@aé.go)"}`,
		`{"type":"resource_link","uri":"file:///home/ada/shop/my%20file.go"}`:                                                         `"text":"my file.go","context":[{"path":"my file.go"}]}`,
		`{"type":"resource_link","uri":"file:///home/ada/shop/a.go#L3:5"}`:                                                            `"text":"a.go","context":[{"path":"a.go","startLine":3,"endLine":5}]}`,
		`{"type":"resource_link","uri":"file:///home/ada/shop/a.go#L5:3"}`:                                                            `"text":"@a.go"}`,
		`{"type":"resource_link","name":"key","uri":"file:///home/ada/.ssh/id"}`:                                                      `"text":"key (file:///home/ada/.ssh/id)"}`,
		`{"type":"resource","resource":{"uri":"file:///home/ada/shop/a.go#L3","text":"code"}}`:                                        `"context":[{"path":"a.go","startLine":3,"endLine":3,"text":"code"}]}`,
		`{"type":"resource","resource":{"uri":"zed:///agent/thread/1","text":"said"}}`:                                                `"context":[{"path":"zed:///agent/thread/1","text":"said"}]}`,
		`{"type":"resource","resource":{"uri":"file:///home/ada/shop/x.png","mimeType":"image/png","blob":"aGk="}}`:                   `"images":[{"mimeType":"image/png","data":"aGk="}]}`,
		`{"type":"resource","resource":{"uri":"file:///home/ada/shop/x.bin","blob":"aGk="}}`:                                          `"text":"@x.bin"}`,
		`{"type":"resource","resource":{"uri":"file:///tmp/x.bin","blob":"aGk="}}`:                                                    `neither text nor a picture`,
		`{"type":"resource"}`:              `"resource" is not taken`,
		`{"type":"audio","data":"aGk="}`:   `"audio" is not taken`,
		`{"type":"text","text":" \n "}`:    `the prompt is empty`,
		`{"type":"video","uri":"http://"}`: `"video" is not taken`,
	} {
		var list []contentBlock
		if err := json.Unmarshal([]byte("["+blocks+"]"), &list); err != nil {
			t.Fatal(err)
		}
		message, err := x.message(list)
		got, _ := json.Marshal(message)
		if err != nil {
			got = []byte(err.Error())
		}
		if !strings.HasSuffix(string(got), want) && !strings.Contains(string(got), want) {
			t.Errorf("%s\ngot  %s\nwant %s", blocks, got, want)
		}
	}
}
