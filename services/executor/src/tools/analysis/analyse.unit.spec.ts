import { describe, expect, it } from 'vitest';
import { analyseFile } from './analyse.ts';
import { countLines } from './file-analysis.ts';

describe('lines of a file', () => {
  it.each([
    ['', 0],
    ['a', 1],
    ['a\n', 1],
    ['a\nb', 2],
    ['\n\n', 2],
  ])('%j: %i', (text, lines) => expect(countLines(text)).toBe(lines));
});

describe('JavaScript and TypeScript', () => {
  it('name their imports, whatever form these take', () => {
    const source = [
      `import React, { useState } from 'react';`,
      `import type { X } from './types';`,
      `import './side-effect.css';`,
      `export { y } from './y';`,
      `const lazy = () => import('./lazy');`,
      `const fs = require('node:fs');`,
      `const dynamic = (name: string) => import(\`./\${name}\`);`,
      `// import nothing from 'comment'`,
      `const text = "import z from 'string'";`,
    ].join('\n');
    expect(analyseFile('a.ts', source).imports).toEqual([
      'react',
      './types',
      './side-effect.css',
      './y',
      './lazy',
      'node:fs',
    ]);
  });

  it('define components where they make elements', () => {
    const source = `
      export default function App() { return <main><Card /></main>; }
      export const Card = memo(() => <div />);
      class Old extends React.Component { render() { return null; } }
      const Button = styled.button\`color: red\`;
      export const Config = { NotAComponent: true };
      function helper() { return <i />; }
      class Model {}
    `;
    expect(analyseFile('App.jsx', source)).toEqual({
      language: 'javascript',
      imports: [],
      components: ['App', 'Card', 'Old', 'Button'],
      problems: [],
    });
  });

  it('report syntax errors with their line', () => {
    expect(analyseFile('a.ts', 'const a = 1;\nconst b = ;\n').problems).toEqual(['line 2: Unexpected token']);
  });

  it('survive deep nesting', () => {
    const source = `export const x = ${'['.repeat(2000)}${']'.repeat(2000)};`;
    expect(analyseFile('a.js', source).language).toBe('javascript');
  });
});

describe('single-file components', () => {
  it('are one component each, with the imports of their scripts and errors at the line in the file', () => {
    const source = `<template>\n  <Card/>\n</template>\n<script setup lang="ts">\nimport Card from './Card.vue';\nconst a: = 1;\n</script>\n`;
    const { components, imports, problems } = analyseFile('src/ui/Home.vue', source);
    expect([components, imports]).toEqual([['Home'], ['./Card.vue']]);
    expect(problems[0]).toMatch(/^line 6: /);
  });

  it('may have no script', () => {
    expect(analyseFile('Plain.svelte', '<p>hi</p>')).toMatchObject({
      components: ['Plain'],
      imports: [],
      problems: [],
    });
  });
});

describe('other languages', () => {
  it('Python: imports and classes, not those in strings and comments', () => {
    const source = `import os, sys as system\nfrom .models import User\n    from late import x\n# import no\n"""\nimport not_this\nclass Nor: pass\n"""\nclass View(Base):\n    pass\n`;
    expect(analyseFile('a.py', source)).toMatchObject({
      imports: ['os', 'sys', '.models', 'late'],
      components: ['View'],
    });
  });

  it('Ruby: requires, classes and modules', () => {
    const source = `require 'json'\nrequire_relative "./user"\n=begin\nrequire 'no'\n=end\n# class No\nmodule Admin\n  class UsersController < Base::Controller\n  end\nend\n`;
    expect(analyseFile('a.rb', source)).toMatchObject({
      imports: ['json', './user'],
      components: ['Admin', 'UsersController'],
    });
  });

  it('Go: single and grouped imports, types', () => {
    const source = `package main\nimport "fmt"\nimport (\n\tlog "log/slog"\n\t"net/http" // "not/this"\n)\n/* import "nor/this" */\ntype Server struct {}\n`;
    expect(analyseFile('a.go', source)).toMatchObject({
      imports: ['fmt', 'log/slog', 'net/http'],
      components: ['Server'],
    });
  });

  it('CSS: what it imports', () => {
    const source = `@import "a.css";\n@import url(b.css) screen;\n@use 'c';\n/* @import "no.css"; */\n.a { content: "@import 'nor.css'"; }`;
    expect(analyseFile('a.scss', source).imports).toEqual(['a.css', 'b.css', 'c']);
  });

  it('JSON: whether it is', () => {
    expect(analyseFile('a.json', '{"a": 1}').problems).toEqual([]);
    expect(analyseFile('a.json', '{"a": }').problems).toHaveLength(1);
  });

  it('anything else: nothing is claimed', () => {
    expect(analyseFile('Makefile', 'all:\n')).toEqual({ language: 'text', imports: [], components: [], problems: [] });
  });
});
