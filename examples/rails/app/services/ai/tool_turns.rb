# frozen_string_literal: true

require "digest"
require "fileutils"
require "json"

module Ai
  # What is on record of each turn, one file each: who runs it, and what was answered here. Everything that must not
  # happen twice is written down before it is done. For one host; README.md has the same on a table of the database.
  class ToolTurns
    # +executor+ is nil, "toolstream" or "local"; +begun+ and +answers+ are of calls that run here, by index.
    class Turn
      FIELDS = %w[executor run_id begun answers].freeze

      attr_reader(*FIELDS)

      def initialize(path)
        @path = path
        stored = File.exist?(path) ? JSON.parse(File.read(path)) : {}
        @executor, @run_id = stored.values_at("executor", "run_id")
        @begun = stored["begun"] || []
        @answers = stored["answers"] || {}
      end

      # On disk before it returns.
      def update!(**changes)
        changes.each { |name, value| instance_variable_set("@#{name}", value) }
        draft = "#{@path}.draft"
        File.open(draft, "w") do |io|
          io.write(JSON.generate(FIELDS.to_h { |name| [name, public_send(name)] }))
          io.fsync
        end
        File.rename(draft, @path)
      end
    end

    def initialize(folder)
      @folder = folder.to_s
    end

    # One process at a time has a turn; the lock of one that dies is free at once.
    def open(key)
      FileUtils.mkdir_p(@folder)
      path = File.join(@folder, Digest::SHA256.hexdigest(key))
      File.open("#{path}.lock", File::RDWR | File::CREAT) do |lock|
        lock.flock(File::LOCK_EX)
        yield Turn.new("#{path}.json")
      end
    end
  end
end
