# frozen_string_literal: true

require "digest"
require "fileutils"
require "pathname"
require "securerandom"

module Ai
  # What a tool says of itself when it fails: the model is told the code and the sentence.
  class ToolFailure < StandardError
    attr_reader :code

    def initialize(code, message)
      super(message)
      @code = code
    end
  end

  # An app's files in a folder. Paths come from a model: one that would leave the folder, by dots or by a link, is refused.
  class LocalWorkspace
    LONGEST_PATH = 512

    attr_reader :root

    def initialize(root)
      @root = Pathname(root).expand_path
    end

    def read(path)
      file = place(path)
      file.binread if file.file?
    end

    def exist?(path) = place(path).file?

    def sha256(path) = (bytes = read(path)) && Digest::SHA256.hexdigest(bytes)

    # Complete or not at all: a reader sees the file before or after, and a crash leaves no half of one.
    def write(path, bytes)
      file = place(path)
      file.dirname.mkpath
      draft = file.dirname.join(".#{SecureRandom.hex(8)}.draft")
      draft.open("wb") do |io|
        io.write(bytes)
        io.fsync
      end
      draft.rename(file)
    rescue Errno::EEXIST, Errno::EISDIR, Errno::ENOTDIR
      raise ToolFailure.new("invalid_arguments", "#{path.inspect} is in the way of a folder, or a folder in its.")
    ensure
      draft.delete if draft&.exist?
    end

    def delete(path) = FileUtils.rm_f(place(path))

    private

    def place(path)
      file = @root.join(checked(path))
      nearest = file
      nearest = nearest.dirname until nearest.exist? || nearest.symlink? || nearest == @root
      return file if nearest == @root || inside?(nearest)

      raise ToolFailure.new("path_outside_workspace", "The path #{path.inspect} follows a link out of the workspace.")
    end

    # A link that leads nowhere has no real path, and is no way to anywhere inside.
    def inside?(file)
      file.realpath.to_s.start_with?("#{@root.realpath}/")
    rescue Errno::ENOENT
      false
    end

    def checked(path)
      invalid(path, "is no path of a file") unless path.is_a?(String) && path.valid_encoding? && !path.empty?
      invalid(path, "holds control characters") if path.match?(/[[:cntrl:]]/)
      outside(path, "is absolute; make it relative to the app") if path.match?(%r{\A(/|~|[A-Za-z]:)})
      outside(path, "holds a backslash; separate parts by \"/\"") if path.include?("\\")
      parts = path.unicode_normalize(:nfc).split("/", -1)
      outside(path, "leaves the workspace; remove \"..\"") if parts.include?("..")
      invalid(path, "names a folder; name a file") if ["", "."].include?(parts.last)
      plain = parts.reject { |part| ["", "."].include?(part) }.join("/")
      plain.bytesize > LONGEST_PATH ? invalid(path[0, 100], "is too long") : plain
    end

    def invalid(path, why) = raise(ToolFailure.new("invalid_arguments", "The path #{path.inspect} #{why}."))
    def outside(path, why) = raise(ToolFailure.new("path_outside_workspace", "The path #{path.inspect} #{why}."))
  end
end
