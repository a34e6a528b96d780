/// How often the members of one object column were met, by type.
package struct MemberCensus: Sendable {}
