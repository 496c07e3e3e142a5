# frozen_string_literal: true

module Ai
  # A text file as lines, and how to put it back together exactly as it was.
  class TextLines
    attr_reader :lines

    def initialize(text)
      @newline = text.match?(/(?<!\r)\n/) || !text.include?("\r\n") ? "\n" : "\r\n"
      @ended = text.end_with?("\n")
      @lines = text.split(@newline, -1)
      @lines.pop if @ended
    end

    # The text with this range of lines, counted from 0, replaced.
    def replace(range, new_lines)
      lines = [*@lines[0...range.begin], *new_lines, *@lines[(range.end + 1)..]]
      lines.join(@newline) + (@ended && lines.any? ? @newline : "")
    end

    # Lines of a replacement: nothing is no line, and a final newline does not begin another.
    def self.of_replacement(text)
      return [] if text.empty?

      whole = text.sub(/\r?\n\z/, "")
      whole.empty? ? [""] : whole.split(/\r?\n/, -1)
    end

    # Whether a search text is what these lines say: a line of only ... stands for any number of lines, spaces at the end
    # of a line do not count.
    def self.match?(search, region)
      region = region.map(&:rstrip)
      parts = [[]]
      of_replacement(search).each { |line| line.match?(/\A\s*(\.\.\.|…)\s*\z/) ? parts << [] : parts.last << line.rstrip }
      first, *middle, last = parts
      return first == region if last.nil?
      return false if first.size + last.size > region.size || first != region.first(first.size) || last != region.last(last.size)

      in_order?(middle, region[first.size...(region.size - last.size)])
    end

    def self.in_order?(parts, region)
      from = 0
      parts.all? do |part|
        at = (from..(region.size - part.size)).find { |start| region[start, part.size] == part }
        from = at + part.size if at
        at
      end
    end
    private_class_method :in_order?
  end
end
