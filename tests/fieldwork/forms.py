"""A synthetic form, compiled by hand: text, integer with a constraint, choice, relevance, a repeat, two languages."""

from __future__ import annotations

_XFORM = """<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
        xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms"
        xmlns:fs="https://fieldsurvey.org/xforms">
  <h:head>
    <h:title>{title}</h:title>
    <model>
      <itext>
        <translation lang="es" default="true()">
          <text id="story"><value>Cuente</value></text>
          <text id="age"><value>Edad</value></text>
        </translation>
        <translation lang="en">
          <text id="story"><value>Tell</value></text>
          <text id="age"><value>Age</value></text>
        </translation>
      </itext>
      <instance>
        <data id="{id}" version="{version}">
          <story/><age/><minor/><kind/>
          <person jr:template=""><first/></person>
          <meta><instanceID/></meta>
        </data>
      </instance>
      <bind nodeset="/data/story" type="string" required="true()"/>
      <bind nodeset="/data/age" type="int" fs:warning=". &lt; 100" fs:warningMsg="Over 99?"
            constraint=". &gt;= 0 and . &lt; 130" jr:constraintMsg="0 to 129"/>
      <bind nodeset="/data/minor" type="string" relevant="/data/age &lt; 18"/>
      <bind nodeset="/data/kind" type="string"/>
      <bind nodeset="/data/person/first" type="string"/>
      <bind nodeset="/data/meta/instanceID" type="string" readonly="true()" jr:preload="uid"/>
    </model>
  </h:head>
  <h:body>
    <input ref="/data/story"><label ref="jr:itext('story')"/></input>
    <input ref="/data/age"><label ref="jr:itext('age')"/></input>
    <input ref="/data/minor"><label>Guardian</label></input>
    <select1 ref="/data/kind">
      <label>Kind</label>
      <item><label>One</label><value>one</value></item>
      <item><label>Two</label><value>two</value></item>
    </select1>
    <group ref="/data/person"><label>Person</label>
      <repeat nodeset="/data/person"><input ref="/data/person/first"><label>What</label></input></repeat>
    </group>
  </h:body>
</h:html>
"""
PICTURES = b"""<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head>
<h:title>Place</h:title><model><instance><data id="place" version="1"><what/><front/><back/></data></instance>
<bind nodeset="/data/what" type="string"/><bind nodeset="/data/front" type="binary"/>
<bind nodeset="/data/back" type="binary" relevant="/data/what != 'none'"/></model></h:head><h:body>
<input ref="/data/what"><label>What</label></input>
<upload ref="/data/front" mediatype="image/*"><label>Front</label></upload>
<upload ref="/data/back" mediatype="image/*"><label>Back</label></upload></h:body></h:html>"""


def xform(form_id: str = "synthetic", version: str = "1", title: str = "A synthetic form") -> bytes:
    """The compiled form."""
    return _XFORM.format(id=form_id, version=version, title=title).encode()
