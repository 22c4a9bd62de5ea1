"""A synthetic form with what the built-in ones do not have: names that collide, ours among them, and nested repeats."""

from __future__ import annotations

_XFORM = """<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
        xmlns:jr="http://openrosa.org/javarosa">
  <h:head>
    <h:title>A synthetic form</h:title>
    <model>
      <instance>
        <data id="synthetic" version="{version}">
          <fieldwork_date/><a><same/></a><b><same/></b><_case/><sum/><size/><weight/><ok/><story/>{extra}
          <house jr:template=""><rooms/><person jr:template=""><age/><likes/></person></house>
          <meta><instanceID/></meta>
        </data>
      </instance>
      <bind nodeset="/data/fieldwork_date" type="date"/>
      <bind nodeset="/data/a/same" type="string"/>
      <bind nodeset="/data/b/same" type="string"/>
      <bind nodeset="/data/_case" type="string"/>
      <bind nodeset="/data/sum" type="string" calculate="/data/size + 1"/>
      <bind nodeset="/data/size" type="{size}"/>
      <bind nodeset="/data/weight" type="decimal"/>
      <bind nodeset="/data/ok" type="string"/>
      <bind nodeset="/data/story" type="string" readonly="true()"/>
      <bind nodeset="/data/house/rooms" type="int"/>
      <bind nodeset="/data/house/person/age" type="int"/>
      <bind nodeset="/data/house/person/likes" type="string"/>
      <bind nodeset="/data/meta/instanceID" type="string" readonly="true()" jr:preload="uid"/>
    </model>
  </h:head>
  <h:body>
    <input ref="/data/fieldwork_date"><label>Day</label></input>
    <input ref="/data/a/same"><label>Same</label></input>
    <input ref="/data/b/same"><label>Same</label></input>
    <input ref="/data/_case"><label>Case</label></input>
    <input ref="/data/size"><label>Size</label></input>
    <input ref="/data/weight"><label>Weight</label></input>
    <trigger ref="/data/ok"><label>OK?</label></trigger>
    <input ref="/data/story"><label>A note: no answer</label></input>{control}
    <group ref="/data/house"><label>House</label><repeat nodeset="/data/house">
      <input ref="/data/house/rooms"><label>Rooms</label></input>
      <group ref="/data/house/person"><label>Person</label><repeat nodeset="/data/house/person">
        <input ref="/data/house/person/age"><label>Age</label></input>
        <select ref="/data/house/person/likes"><label>Likes</label>
          <item><label>Tea</label><value>tea</value></item><item><label>Rain</label><value>rain</value></item>
        </select>
      </repeat></group>
    </repeat></group>
  </h:body>
</h:html>
"""


def xform(version: str = "1", *, size: str = "int", more: str = "") -> bytes:
    """The compiled form; `size` is the type of that question, `more` the name of one question more."""
    extra = f"<{more}/>" if more else ""
    control = f'<input ref="/data/{more}"><label>More</label></input>' if more else ""
    return _XFORM.format(version=version, size=size, extra=extra, control=control).encode()


def instance(body: str, version: str = "1") -> bytes:
    """A finalised instance with these elements."""
    return f'<data id="synthetic" version="{version}">{body}</data>'.encode()
