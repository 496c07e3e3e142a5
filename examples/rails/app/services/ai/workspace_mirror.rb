# frozen_string_literal: true

require "digest"
require "fileutils"
require "json"

module Ai
  # Keeps a folder and an app's workspace in Toolstream alike, so that either side can run the next turn: after a run,
  # what changed there is fetched; what was written here in the meantime is handed over before the next run. A file that
  # was written on both sides is as it was written here. Meant for one turn of an app at a time.
  class WorkspaceMirror
    CALLS_PER_RUN = 100

    def initialize(toolstream:, app:, workspace:, push_within: 120)
      @toolstream = toolstream
      @app = app
      @workspace = workspace
      @push_within = push_within
      @record = "#{workspace.root}.mirror.json"
    end

    # A tool here wrote this file.
    def wrote(path) = save(waiting: waiting | [path])

    # Only what an earlier fetch brought is ever deleted: other files in the folder are not the mirror's.
    def pull
      there = @toolstream.files(@app).to_h { |file| [file["path"], file["sha256"]] }
      (there.keys - waiting).each do |path|
        next if @workspace.sha256(path) == there[path]

        @workspace.write(path, @toolstream.file(@app, path))
      end
      (fetched - there.keys - waiting).each { |path| @workspace.delete(path) }
      save(fetched: there.keys)
    end

    # As calls of os-write, like everything that is written there; the key is made of the contents, so that a push that
    # was cut short goes on as the same run.
    def push
      waiting.each_slice(CALLS_PER_RUN) do |paths|
        calls = paths.each_with_index.map do |path, index|
          { id: "push-#{index}", name: "os-write", arguments: { file_path: path, content: text(path) } }
        end
        key = "push-#{Digest::SHA256.hexdigest(JSON.generate([@app, calls]))}"
        ended = done(@toolstream.submit(app: @app, tool_calls: calls, idempotency_key: key))
        unless ended["status"] == "succeeded"
          raise Toolstream::Error.new("not_pushed", "Files written here were not taken over: see run #{ended['run_id']}.")
        end

        save(waiting: waiting - paths)
      end
    end

    private

    # What was accepted may be carried out at any time from now on, whatever becomes of the waiting.
    def done(run)
      @toolstream.wait(run["run_id"], within: @push_within)
    rescue Toolstream::RequestFailed => error
      error.doubt!
      raise
    end

    def text(path) = @workspace.read(path).to_s.force_encoding(Encoding::UTF_8)
    def waiting = record["waiting"]
    def fetched = record["fetched"]

    def record
      @known ||= File.exist?(@record) ? JSON.parse(File.read(@record)) : { "waiting" => [], "fetched" => [] }
    end

    def save(**changes)
      @known = record.merge(changes.transform_keys(&:to_s))
      FileUtils.mkdir_p(File.dirname(@record))
      File.write("#{@record}.draft", JSON.generate(@known))
      File.rename("#{@record}.draft", @record)
    end
  end
end
