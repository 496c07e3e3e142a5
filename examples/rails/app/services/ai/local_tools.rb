# frozen_string_literal: true

require_relative "local_workspace"
require_relative "text_lines"

module Ai
  # The application's own tools, for when Toolstream does not run them. Arguments, results and codes are those of
  # Toolstream's tools of the same names, except that what its analysis of a file adds to a result is not there.
  class LocalTools
    # Running these again gives the same files, so a call of them that was interrupted is simply run again.
    REPEATABLE = %w[os-write].freeze

    def self.repeatable?(name) = REPEATABLE.include?(name)

    # +on_write+ is told the path of every file written.
    def initialize(workspace, &on_write)
      @workspace = workspace
      @on_write = on_write || proc {}
    end

    # Either +result+ or +error+, as the model is to be told. What a tool throws is its answer; it ends no turn.
    def call(tool_call)
      raise ToolFailure.new("invalid_arguments", "The arguments do not parse: #{tool_call.problem}") if tool_call.problem

      { "result" => run(tool_call.name, tool_call.arguments) }
    rescue ToolFailure => failure
      { "error" => { "code" => failure.code, "message" => failure.message } }
    rescue SystemCallError => error
      { "error" => { "code" => "tool_error", "message" => error.message } }
    end

    private

    def run(name, arguments)
      case name
      when "os-write" then write(text(arguments, "file_path"), text(arguments, "content"))
      when "os-line-replace" then line_replace(arguments)
      else raise ToolFailure.new("unknown_tool", "There is no tool #{name}.")
      end
    end

    def write(path, content)
      created = !@workspace.exist?(path)
      store(path, content)
      {
        "file_path" => path, "file_size" => content.bytesize,
        "lines_written" => content.lines.count, "created" => created
      }
    end

    def line_replace(arguments)
      path, replacement = %w[file_path replace].map { |name| text(arguments, name) }
      first, last = %w[first_replaced_line last_replaced_line].map { |name| line_number(arguments, name) }
      file = TextLines.new(content_of(path))
      check_range(path, file.lines, first, last)
      region = (first - 1)..(last - 1)
      check_search(path, file.lines[region], arguments["search"], first, last)

      new_lines = TextLines.of_replacement(replacement)
      content = file.replace(region, new_lines)
      store(path, content)
      {
        "file_path" => path, "first_replaced_line" => first, "last_replaced_line" => last,
        "lines_removed" => region.size, "lines_written" => new_lines.size,
        "line_count" => content.lines.count, "file_size" => content.bytesize
      }
    end

    def store(path, content)
      @workspace.write(path, content)
      @on_write.call(path)
    end

    def content_of(path)
      bytes = @workspace.read(path)
      raise ToolFailure.new("file_not_found", "#{path} does not exist; write it with os-write.") if bytes.nil?

      content = bytes.force_encoding(Encoding::UTF_8)
      return content if content.valid_encoding?

      raise ToolFailure.new("not_text", "#{path} is not UTF-8 text; its lines cannot be replaced.")
    end

    def check_range(path, lines, first, last)
      raise ToolFailure.new("line_out_of_range", "Line #{first} comes after line #{last}: swap them.") if first > last
      return if last <= lines.size

      raise ToolFailure.new("line_out_of_range", "#{path} has #{lines.size} lines; line #{last} is not there.")
    end

    def check_search(path, region, search, first, last)
      return if search.nil? || search.empty? || TextLines.match?(search, region)

      raise ToolFailure.new(
        "search_mismatch", "Lines #{first} to #{last} of #{path} are not what search says. Read the file again."
      )
    end

    def text(arguments, name)
      value = arguments.is_a?(Hash) ? arguments[name] : nil
      value.is_a?(String) ? value : raise(ToolFailure.new("invalid_arguments", "#{name} must be a text."))
    end

    def line_number(arguments, name)
      value = arguments[name]
      return value if value.is_a?(Integer) && value.positive?

      raise ToolFailure.new("invalid_arguments", "#{name} must be a number of a line, counted from 1.")
    end
  end
end
